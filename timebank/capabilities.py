"""The capabilities of the service, lowest layer first: each may use those before it."""

from collections.abc import Sequence

from timebank.core.capability import Capability, resolve

ORDER = (
    "outbox", "agreements", "areas", "policies", "photos", "people", "units", "ledger", "expiry", "stations",
    "access", "inbox", "objections", "rules", "teams", "cards", "activities", "presence", "service_records", "deeds",
    "shop", "classes", "matters", "merging", "imports", "exports", "overview", "trail",
)  # fmt: skip

CAPABILITIES: Sequence[Capability] = tuple(resolve(f"timebank.{name}.capability.CAPABILITY") for name in ORDER)
