"""Memory of a serving process: what it has finished with goes back to the system, what it has loaded stays."""

import ctypes
import gc
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


NEW_OBJECTS = 10_000


def keep_what_is_loaded() -> None:
    """Leave out of the garbage collection what a process has loaded until now, such as routes and templates.

    It is never garbage, and walking through it takes a tenth of a second each time, in which nobody is answered. New
    objects are looked at after NEW_OBJECTS of them: a request makes hundreds, nearly all of which end with it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS)
