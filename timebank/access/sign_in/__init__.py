"""Signing in: logins, passwords, sessions, and what slows down guessing."""
