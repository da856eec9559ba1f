"""Memory that a process has finished with goes back to the system."""

import ctypes
import sys

MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of malloc.h
LARGE_BYTES = 128 * 1024


def return_large_blocks() -> None:
    """Give each block of LARGE_BYTES or more back to the system as soon as it is freed, where the C library is glibc.

    glibc raises that limit to the size of what was freed before, up to 32 MB: a process that has drawn photos would
    stay as large as while it drew them, with gaps.
    """
    if sys.platform == "linux" and (choose := getattr(ctypes.CDLL(None), "mallopt", None)):
        choose(MMAP_THRESHOLD, LARGE_BYTES)
