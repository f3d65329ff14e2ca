"""Imports that are not interrupted by the garbage collector."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected_imports() -> Iterator[None]:
    """Pause garbage collection.

    Modules are never garbage, but they are so many objects that full collections, which visit all of them,
    take a seventh of the time of importing a service.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
