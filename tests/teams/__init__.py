"""Teams, skills and finding somebody who helps."""
