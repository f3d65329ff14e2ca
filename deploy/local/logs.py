"""The children's logs: the last run's beside this one's, and none without end."""

import asyncio
import shutil
from contextlib import suppress
from pathlib import Path

LIMIT = 64 * 1024 * 1024  # bytes
CHECK_SECONDS = 30.0


def _previous(log: Path) -> Path:
    return log.with_name(log.name + ".1")


def rotate(folder: Path) -> None:
    """Keeps the last run's logs beside the new ones, and none older."""
    for log in folder.glob("*.log"):
        log.replace(_previous(log))


def bound(folder: Path, limit: int = LIMIT) -> None:
    """Moves aside what is longer than *limit* bytes: children append, and so begin anew."""
    for log in folder.glob("*.log"):
        if log.stat().st_size > limit:
            shutil.copyfile(log, _previous(log))
            with log.open("r+b") as file:
                file.truncate()


async def keep_bounded(folder: Path) -> None:
    """Bounds the logs of a run, for ever."""
    while True:
        await asyncio.sleep(CHECK_SECONDS)
        with suppress(OSError):  # a full disk: the next round may succeed
            await asyncio.to_thread(bound, folder)
