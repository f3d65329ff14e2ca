"""The record of the long targets against the tree that they are meant to cover."""

import subprocess
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.runs.record import RECORD, Gap, RecordedRun, RunRecord, digest
from tests.runs.targets import MEANT
from tests.tools import LACKING, needs

ROOT = Path(__file__).parents[2]
KEPT = RunRecord.read(RECORD.read_text("utf-8"))


def _is_release() -> bool:
    """Whether this tree is a release: the first section of the changelog has a version."""
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    return not changelog.partition("\n## ")[2].startswith("[Unreleased]")


def test_everything_that_a_target_covers_has_a_run_or_is_a_gap() -> None:
    """`python -m tests.runs add` records a run."""
    assert list(KEPT.faults(MEANT)) == []


def test_a_release_has_runs_of_what_it_contains() -> None:
    """Between releases a run may be of older content: `python -m tests.runs` shows how old."""
    outdated = list(KEPT.outdated(MEANT, ROOT))
    assert outdated == [] or not _is_release()


def test_every_run_was_on_a_commit_of_this_history() -> None:
    """In a tree without its whole history this is not known, and said."""
    git = needs("git", ROOT / ".git")

    def holds(*arguments: str) -> bool:
        done = subprocess.run((git, *arguments), cwd=ROOT, capture_output=True, text=True, check=False)
        return done.returncode == 0 and done.stdout.strip() != "false"

    if holds("rev-parse", "--is-shallow-repository"):
        pytest.skip(f"{LACKING}the whole history of this shallow clone: git fetch --unshallow")
    commits = {run.commit for run in KEPT.runs}
    strange = {commit for commit in commits if not holds("merge-base", "--is-ancestor", commit, "HEAD")}
    assert strange == set()


RUN = RecordedRun(
    target="mutants", date=date(2026, 1, 1), commit="a" * 40, covers=("a.py",), digest="b" * 64, result="none"
)


def test_the_rules_find_what_is_missing() -> None:
    """A rule that cannot fail is no rule."""
    meant = {"mutants": ("a.py", "b/c.py")}
    gap = Gap(target="mutants", covers=("b",), why="later")
    assert list(RunRecord((RUN,), (gap,)).faults(meant)) == []
    assert list(RunRecord((RUN,), ()).faults(meant)) == ["mutants: no run covers b/c.py"]
    both = RunRecord((RUN, replace(RUN, covers=("b",))), (gap,))
    assert list(both.faults(meant)) == ["mutants: b/c.py is called a gap, and has a run"]
    assert len(list(RunRecord((replace(RUN, commit="HEAD"),), (gap,)).faults(meant))) == 1
    assert len(list(RunRecord((replace(RUN, target="x"),), (gap,)).faults(meant))) == 2


def test_a_run_is_outdated_when_its_content_changes(tmp_path: Path) -> None:
    """A file more, or less, or another; the last run counts."""
    folder = tmp_path / "a"
    folder.mkdir()
    (folder / "one.py").write_text("1")
    run = replace(RUN, covers=("a",), digest=digest(tmp_path, ["a"]))
    older = replace(run, date=run.date - timedelta(days=1), digest="c" * 64)
    record, meant = RunRecord((older, run), ()), {"mutants": ("a/one.py",)}
    assert list(record.outdated(meant, tmp_path)) == []
    (folder / "two.py").write_text("2")
    assert len(list(record.outdated(meant, tmp_path))) == 1
    (folder / "two.py").unlink()
    assert list(record.outdated(meant, tmp_path)) == []
    (folder / "one.py").write_text("2")
    assert len(list(record.outdated(meant, tmp_path))) == 1
    assert len(list(record.outdated({"mutants": ("b.py",)}, tmp_path))) == 1


@pytest.mark.parametrize("text", ["[[run]]\ntarget = 'x'\n", "[[runs]]\n", "run = 1\n", "["])
def test_what_is_no_record_is_refused(text: str) -> None:
    """And not passed over."""
    with pytest.raises((ValueError, TypeError, KeyError)):
        RunRecord.read(text)
