"""The logs of the children, bounded in size. The logs of the last run are kept beside the new ones."""

import asyncio
import shutil
from contextlib import suppress
from pathlib import Path

LIMIT = 64 * 1024 * 1024  # bytes
CHECK_SECONDS = 30.0


def _previous(log: Path) -> Path:
    return log.with_name(log.name + ".1")


def rotate(folder: Path) -> None:
    """Keep the logs of the last run beside the new ones, and delete older ones."""
    for log in folder.glob("*.log"):
        log.replace(_previous(log))


def bound(folder: Path, limit: int = LIMIT) -> None:
    """Move logs longer than *limit* bytes aside. The children append, so they continue with an empty file."""
    for log in folder.glob("*.log"):
        if log.stat().st_size > limit:
            shutil.copyfile(log, _previous(log))
            with log.open("r+b") as file:
                file.truncate()


async def keep_bounded(folder: Path) -> None:
    """Bound the logs of a run until cancelled."""
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        with suppress(OSError):  # a full disk: the next round may succeed
            await asyncio.to_thread(bound, folder)
