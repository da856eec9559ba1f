"""Expiry of points and minutes: reminders, the end of their last day, and its reversal."""
