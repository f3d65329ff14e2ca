"""JSON from strangers: one reading of each text, or none."""

import json
import math
from typing import Any

MAX_DEPTH = 20


class BadJson(Exception):
    """It is not JSON, or not JSON that everybody reads alike. Says why."""


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise BadJson("a member is repeated")
    return members


def _no_constant(name: str) -> Any:
    raise BadJson(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise BadJson("a number is too large")
    return number


def _check(value: Any, depth: int = 0) -> None:
    """Depth and text: NUL and lone surrogates can be neither stored nor sent."""
    if depth > MAX_DEPTH:
        raise BadJson("it is nested too deeply")
    match value:
        case str():
            if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
                raise BadJson("a string holds NUL or half a surrogate pair")
        case dict():
            for name, member in value.items():
                _check(name, depth + 1)
                _check(member, depth + 1)
        case list():
            for member in value:
                _check(member, depth + 1)


def parse_value(data: bytes) -> Any:
    """A JSON text (RFC 8259), in UTF-8 without a byte order mark. Raises BadJson."""
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_no_duplicates,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except UnicodeDecodeError:
        raise BadJson("it is not UTF-8") from None
    except RecursionError:
        raise BadJson("it is nested too deeply") from None
    except ValueError:
        raise BadJson("it is not JSON") from None
    _check(value)
    return value


def parse_object(data: bytes) -> dict[str, Any]:
    """Like `parse_value`, for a JSON object. Raises BadJson."""
    value = parse_value(data)
    if not isinstance(value, dict):
        raise BadJson("it is not a JSON object")
    return value
