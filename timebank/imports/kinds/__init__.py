"""What each kind of workbook is read into, and how its rows are written."""
