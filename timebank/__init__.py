"""A time bank and moral bank for communities: served minutes become points, kept in a balanced ledger."""

import os

# Piccolo looks its configuration up by this name; whoever embeds timebank may have chosen another.
os.environ.setdefault("PICCOLO_CONF", "timebank.operations.piccolo_conf")

__version__ = "0.1.0"
