"""A time bank and moral bank for communities: served minutes become points, kept in a balanced ledger."""

import os

# Piccolo finds its configuration by this variable. A program that embeds timebank may have set another value.
os.environ.setdefault("PICCOLO_CONF", "timebank.piccolo_conf")

__version__ = "0.1.0"
