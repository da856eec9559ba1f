"""Opening a matter: limits, due date, number, receipt, and similar ones before it is sent."""
