"""Who may come in: logins, sessions, role grants, devices."""
