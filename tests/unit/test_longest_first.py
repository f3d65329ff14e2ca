"""The order in which files begin."""

import pytest

from tests.longest_first import LONGEST, ROOT, longest_first


@pytest.mark.parametrize("name", LONGEST)
def test_every_one_is_there(name: str) -> None:
    """A file that was renamed would lose its place."""
    assert (ROOT / name).is_file()


def test_they_come_first_and_the_others_as_they_came() -> None:
    """Nothing gets lost."""
    paths = [ROOT / name for name in ("tests/unit/b.py", LONGEST[1], "tests/unit/a.py", LONGEST[0])]
    assert longest_first(paths, lambda path: path) == [paths[3], paths[1], paths[0], paths[2]]
