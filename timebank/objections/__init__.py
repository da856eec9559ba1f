"""Objections of residents to deeds, service records and whatever else a capability declares as a subject."""
