"""A log event becomes a line, whatever its values are."""

from typing import Any

import orjson
import pytest

from shared.server.log.line import REDACTED, render
from tests.planted import planted
from tests.planted.process import renders_only_what_json_holds


class Mute:
    """A value without a text representation."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


def _circular() -> list[Any]:
    circular: list[Any] = []
    circular.append(circular)
    return circular


@planted(renders_only_what_json_holds)
@pytest.mark.parametrize(
    "value",
    ["\udcff", "a\ud800b", {"alg": "\ud800"}, 2**80, Mute(), {1: Mute()}, _circular()],
    ids=["surrogate", "inside", "nested", "integer", "mute", "mute in dict", "circular"],
)
def test_no_value_prevents_a_line(value: object) -> None:
    """Lone surrogates, huge integers and endless structures become text."""
    line = orjson.loads(render({"event": "refused", "detail": value, "status": 400}))
    assert (line["event"], line["status"]) == ("refused", 400)
    assert "detail" in line


def test_a_repaired_value_is_redacted() -> None:
    """A token inside a structure that JSON cannot hold shows as little as elsewhere."""
    line = render({"event": "x", "detail": {"token": f"at_{'a' * 40}", "alg": "\ud800"}})
    assert REDACTED.encode() in line
    assert b"at_aaa" not in line
