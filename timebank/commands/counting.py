"""The shared metrics folder of several serving processes, removed when the service ends."""

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
    """Make a metrics folder for the serving processes that are started inside, and remove it at the end.

    Folders of killed services are removed first; they are recognised by their released lock.
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


def remove_process_metrics(pid: int) -> None:
    """Remove the live gauges of an ended process, such as its requests in progress."""
    mark_process_dead(pid)  # type: ignore[no-untyped-call]


def _remove_stale() -> None:
    import fcntl

    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError), (folder / LOCK).open("rb") as lock:  # Somebody else's is left alone.
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
