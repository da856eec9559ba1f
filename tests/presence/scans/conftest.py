"""The cases need a key to check codes by, and no database."""

from collections.abc import Iterator

import pytest

from tests.presence.scans.scenes import with_key


@pytest.fixture(autouse=True)
def key() -> Iterator[None]:
    with with_key():
        yield
