"""Printed cards for people without a phone."""
