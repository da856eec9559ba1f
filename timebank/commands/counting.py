"""Where several serving processes count together: a folder that ends with the service that made it."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from prometheus_client.multiprocess import mark_process_dead

from timebank.core import settings

PREFIX = "timebank-metrics-"
LOCK = "in-use"


@contextmanager
def counted_together() -> Iterator[None]:
    """A folder for the metrics of the processes that are started inside, removed at the end.

    What a service that was killed has left is removed first: nobody holds its lock any more.
    """
    import fcntl  # Not on Windows, where several processes cannot share a listening socket this way.

    _remove_stale()
    with (
        tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as folder,
        (Path(folder) / LOCK).open("wb") as lock,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        settings.count_together(Path(folder))
        yield


def forget(pid: int) -> None:
    """What a process that has ended was just doing no longer counts."""
    mark_process_dead(pid)  # type: ignore[no-untyped-call]


def _remove_stale() -> None:
    import fcntl

    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError), (folder / LOCK).open("rb") as lock:  # Somebody else's is left alone.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
