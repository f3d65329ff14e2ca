"""The record of runs: read, compared with the tree, and judged."""

import hashlib
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

RECORD = Path(__file__).with_name("record.toml")
_COMMIT, _DIGEST = re.compile("[0-9a-f]{40}"), re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRun:
    """A run of a target. `covers`: paths from the root of the tree; `digest`: their content at that time."""

    target: str
    date: date
    commit: str
    covers: tuple[str, ...]
    digest: str
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Paths of which no run is recorded, though their target is meant to cover them."""

    target: str
    covers: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What ran, and what did not."""

    runs: tuple[RecordedRun, ...]
    gaps: tuple[Gap, ...]

    @classmethod
    def read(cls, text: str) -> "RunRecord":
        """Raises ValueError or TypeError: the record is not well-formed."""
        tables = tomllib.loads(text)
        runs = tuple(RecordedRun(**{**run, "covers": tuple(run["covers"])}) for run in tables.pop("run", []))
        gaps = tuple(Gap(**{**gap, "covers": tuple(gap["covers"])}) for gap in tables.pop("gap", []))
        if tables:
            raise ValueError(f"neither a run nor a gap: {', '.join(tables)}")
        return cls(runs, gaps)

    def latest(self, target: str, path: str) -> RecordedRun | None:
        """The last run of a target that covered a file or folder, or a folder above it."""
        runs = (run for run in self.runs if run.target == target and _is_within(path, run.covers))
        return max(runs, key=lambda run: run.date, default=None)

    def faults(self, meant: Mapping[str, Collection[str]]) -> Iterator[str]:
        """What is wrong with the record, given what each target is *meant* to cover."""
        for run in self.runs:
            if not _COMMIT.fullmatch(run.commit) or not _DIGEST.fullmatch(run.digest):
                yield f"{run.target} of {run.date}: commit or digest is not one"
        named = {run.target for run in self.runs} | {gap.target for gap in self.gaps}
        for name in sorted(named - meant.keys()):
            yield f"{name}: there is no such target"
        for target, paths in meant.items():
            in_gaps = [path for gap in self.gaps if gap.target == target for path in gap.covers]
            for path in paths:
                has_run, is_gap = self.latest(target, path) is not None, _is_within(path, in_gaps)
                if not has_run and not is_gap:
                    yield f"{target}: no run covers {path}"
                if has_run and is_gap:
                    yield f"{target}: {path} is called a gap, and has a run"

    def outdated(self, meant: Mapping[str, Collection[str]], root: Path) -> Iterator[str]:
        """What no run of the present content covers: what a release must not have."""
        for target, paths in meant.items():
            for path in paths:
                run = self.latest(target, path)
                if run is None:
                    yield f"{target}: no run covers {path}"
                elif run.digest != digest(root, run.covers):
                    yield f"{target}: {path} has not been covered since {run.date}, and has changed"


def _is_within(path: str, covered: Collection[str]) -> bool:
    return any(path == each or path.startswith(f"{each}/") for each in covered)


def digest(root: Path, covers: Collection[str]) -> str:
    """SHA-256 of the names and the content of all files in *covers*. Raises OSError: one is not there."""
    whole = hashlib.sha256()
    for path in sorted({file for name in covers for file in _files(root / name)}):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        whole.update(f"{path.relative_to(root).as_posix()} {content}\n".encode())
    return whole.hexdigest()


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for file in path.rglob("*"):
        if file.is_file() and file.suffix != ".pyc":
            yield file
