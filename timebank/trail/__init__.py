"""The audit trail: who did what, and who looked at whom, in words."""
