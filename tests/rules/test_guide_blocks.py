"""Every block of commands in deploy/README.md is run by a test, or says what a test lacks to run it."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
MOST_NOT_RUN = 10
GUIDE = (ROOT / "deploy" / "README.md").read_text("utf-8")
BLOCKS = re.findall(
    r"^(?:<!-- ([^\n]+) -->\n)?```(?:sh|bash|console|sql)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL
)
_RUN, _NOT_RUN = re.compile(r"run by (tests/\S+\.py)"), re.compile("not run by a test: .+")


def test_every_block_says_whether_it_is_run() -> None:
    """In a comment before it, of one of two forms."""
    unmarked = [block for mark, block in BLOCKS if not (_RUN.fullmatch(mark) or _NOT_RUN.fullmatch(mark))]
    assert unmarked == []
    assert sum(bool(_NOT_RUN.fullmatch(mark)) for mark, _ in BLOCKS) <= MOST_NOT_RUN
    assert len(BLOCKS) > 15


def test_the_tests_that_are_named_read_the_guide() -> None:
    """They take the commands from it and have no copy of their own."""
    for mark, _ in BLOCKS:
        for name in re.findall(r"tests/\S+\.py", mark):
            assert (ROOT / name).is_file(), name
        if named := _RUN.fullmatch(mark):
            assert '"README.md"' in (ROOT / named[1]).read_text("utf-8"), mark
