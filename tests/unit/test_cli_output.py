"""Lists are printed while they are read."""

from collections.abc import AsyncIterator

import click
import pytest

from services.cli import output
from tests.planted import planted
from tests.planted.protocol import lists_are_collected

MANY = 10_000


@planted(lists_are_collected)
@pytest.mark.parametrize("is_json", [True, False])
async def test_a_list_is_not_held_in_memory(monkeypatch: pytest.MonkeyPatch, is_json: bool) -> None:
    """Only the rows that decide the column widths are buffered."""
    printed, read, most = 0, 0, 0

    def count(text: object, **_: object) -> None:
        nonlocal printed
        printed += 1

    async def records() -> AsyncIterator[output.Members]:
        nonlocal read, most
        for read in range(1, MANY + 1):
            most = max(most, read - printed)
            yield {"name": f"n{read}"}

    monkeypatch.setattr(click, "echo", count)
    await output.show_each(records(), ("name",), is_json)
    assert printed == MANY + 1
    assert most <= 2 + output._MEASURED
