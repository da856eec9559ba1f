"""Teams of a community with leaders and members; skills, and finding somebody who helps."""
