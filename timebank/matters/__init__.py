"""Matters: reports, events, orders, wishes and pledges in one loop from receipt to rating."""
