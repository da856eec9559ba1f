"""A time bank and moral bank for communities: served minutes become points, kept in a balanced ledger."""

import os

# Piccolo looks its configuration up by this name; whoever embeds timebank may have chosen another.
os.environ.setdefault("PICCOLO_CONF", "timebank.operations.piccolo_conf")
# The service loads few of the phrases of pypinyin: core/pinyin/spelling.py.
os.environ.setdefault("PYPINYIN_NO_PHRASES", "1")

__version__ = "0.1.0"
