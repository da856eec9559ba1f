"""Displays and counter tablets, and the keeper who is signed on to one."""
