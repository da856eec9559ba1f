"""Earning rules, in versions: how many points an hour or a deed earns. Caps on hours: `policies`."""
