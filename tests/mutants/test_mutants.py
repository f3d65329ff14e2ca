"""The mutants, the judge and the verdict on small modules, and the explanations."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutants.explained import EXPLAINED, MutantReport, read
from tests.mutants.mutants import MutantChange, mutants

ROOT = Path(__file__).parents[2]
SOURCE = """
LIMIT = 2


class Door:
    @property
    def is_open(self) -> bool:
        return self.n < LIMIT
"""
JUDGE = """
import sys
from pathlib import Path
from tests.mutants.judge import is_killed, prepare

prepare(Path(sys.argv[1]))
print(is_killed("shared.identity.username", sys.argv[2], [Path(sys.argv[3])]))
"""
PASSES = "def test_it(): pass"
IMPORTS = "from shared.identity.username import NAME\ndef test_it(): assert NAME == 'right'"


def test_mutants_are_made_inside_and_outside_of_functions() -> None:
    """Each mutant has its place, its differing lines, and a source that is a module."""
    made = {mutant.change: mutant.source for mutant in mutants("door", SOURCE)}
    assert MutantChange("door", "", ("-LIMIT = 2", "+LIMIT = 3")) in made
    looser = MutantChange(
        "door", "Door.is_open", ("-        return self.n < LIMIT", "+        return self.n <= LIMIT")
    )
    assert made[looser] == SOURCE.replace("<", "<=")
    for source in made.values():
        assert source != SOURCE
        compile(source, "door.py", "exec")


@pytest.mark.parametrize(
    ("source", "test", "killed"),
    [
        ("NAME = 'right'", IMPORTS, False),
        ("NAME = 'wrong'", IMPORTS, True),
        ("NAME = 'wrong'", PASSES, False),
        ("raise SystemExit(0)", PASSES, True),
        ("NAME =", PASSES, True),
    ],
)
def test_a_mutant_is_killed_by_a_test_that_fails(
    tmp_path: Path, source: str, test: str, killed: bool
) -> None:
    """The tests see the mutated module. A mutant that cannot be imported is killed."""
    (tmp_path / "test_it.py").write_text(test)
    command = (sys.executable, "-c", JUDGE, str(tmp_path), source, str(tmp_path / "test_it.py"))
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (f"{killed}\n", "")


A, B, C = (MutantChange(module, "place", ("-old", "+new")) for module in "abc")


@pytest.mark.parametrize(
    ("survivors", "is_good"), [([A, B], True), ([A, A, B], True), ([A], False), ([A, B, C], False)]
)
def test_every_survivor_is_explained_and_every_explanation_has_one(
    survivors: list[MutantChange], is_good: bool
) -> None:
    """A survivor without a reason fails the run, and so does a reason without a survivor."""
    verdict = MutantReport.of(survivors, {A: "why a", B: "why b"})
    assert verdict.is_good is is_good
    assert f"{A}\nwhy a" in str(verdict)


def test_what_is_printed_of_a_survivor_can_be_written_down_as_it_is() -> None:
    """A block has a reason below its lines."""
    assert read(f"# a comment\n\n{A}\nwhy a\n\n{B}\nwhy b\n") == {A: "why a", B: "why b"}


@pytest.mark.parametrize("block", [str(A), "a place\nwhy a", f"{A}\nwhy a\nwhy b", "why a"])
def test_an_explanation_is_one_line_after_the_lines_that_differ(block: str) -> None:
    """A malformed block is an error."""
    with pytest.raises(ValueError, match=r"^not an explanation"):
        read(block)


def test_what_is_explained_is_there() -> None:
    """Each explained mutant still exists. Whether it survives takes longer to find out."""
    for change in read(EXPLAINED.read_text("utf-8")):
        lines = (ROOT / f"{change.module.replace('.', '/')}.py").read_text("utf-8").splitlines()
        assert {line[1:] for line in change.lines if line.startswith("-")} <= set(lines), str(change)
