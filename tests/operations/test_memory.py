"""What a process of the service loads, and what it gives back to the system."""

import os
import subprocess
import sys

import pytest

LOADED = """
import sys
from timebank.app import create_app
create_app()
from pypinyin.constants import PHRASES_DICT
print(len(PHRASES_DICT), *sorted({"pydantic", "zxcvbn", "holidays"} & sys.modules.keys()))
"""
FREED = """
from pathlib import Path
from timebank.operations.memory import return_large_blocks

def pages() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1])

return_large_blocks()
before = pages()
for size in (30_000_000, 20_000_000):
    block = bytearray(size)  # written, so that its pages are there
    between = bytearray(1000)
    del block
print(pages() - before)
"""


def said_by(program: str) -> str:
    """What a process of its own prints, with the settings of a service that has never been started."""
    environment = os.environ | {"TIMEBANK_SECRET_KEY": "k" * 40, "TIMEBANK_DATABASE_URL": "postgresql://127.0.0.1:1/x"}
    return subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, check=True, text=True
    ).stdout.strip()


def test_the_service_loads_no_library_that_no_request_has_asked_for() -> None:
    phrases, *libraries = said_by(LOADED).split()
    assert libraries == []
    assert 1_000 < int(phrases) < 5_000


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's limit is set on Linux alone")
def test_a_large_block_is_given_back_when_it_is_freed() -> None:
    assert int(said_by(FREED)) * os.sysconf("SC_PAGE_SIZE") < 2_000_000
