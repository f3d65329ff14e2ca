"""Whether other accounts of this machine can read or replace the files that hold secrets."""

import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from shared.operations.doctor.findings import Finding, bad, good

SUBJECT = "Files"
TOO_OPEN = stat.S_IRWXO | stat.S_IWGRP  # anything for others, or writing for the group


def file_findings(files: Iterable[Path]) -> Iterator[Finding]:
    """A fault for each file that is too open; otherwise one finding, if there are files."""
    secret_files = list(files)
    faults = [bad(SUBJECT, fault) for file in secret_files if (fault := _fault(file))]
    if secret_files and not faults:
        yield good(SUBJECT, f"only their owner and group can read {', '.join(map(str, secret_files))}")
    yield from faults


def _fault(file: Path) -> str | None:
    mode = stat.S_IMODE(file.stat().st_mode)
    if mode & TOO_OPEN:
        return (
            f"other accounts can read or change {file} (mode {mode:04o}): run `chmod 600 {file}` as its owner"
        )
    return None
