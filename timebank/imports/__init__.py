"""Workbooks in: reading, checking and reporting what a community hands over."""
