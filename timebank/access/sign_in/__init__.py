"""Signing in: logins, passwords, sessions, delays after failed sign-ins, limits on other attempts."""
