"""The only parser of untrusted JSON. It rejects text that parsers might read differently."""

import json
import math
import re
from typing import Any

from shared.process.operator_error import OperatorError

MAX_DEPTH = 20

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # NUL and lone surrogates can be neither stored nor sent


class BadJson(OperatorError):
    """The text is not JSON, or parsers may read it differently. The message says why."""

    template = "The file cannot be read: {}"


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
    """Check the depth of *value* and every string in it. Raises BadJson."""
    if depth > MAX_DEPTH:
        raise BadJson("it is nested too deeply")
    match value:
        case str():
            if _UNSTORABLE.search(value):
                raise BadJson("a string holds NUL or half a surrogate pair")
        case dict():
            for name, member in value.items():
                _check(name, depth + 1)
                _check(member, depth + 1)
        case list():
            for member in value:
                _check(member, depth + 1)


def parse_value(data: bytes) -> Any:
    """Parse a JSON text (RFC 8259) in UTF-8 without a byte-order mark. Raises BadJson."""
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
    except json.JSONDecodeError as fault:
        raise BadJson(f"it is not JSON: line {fault.lineno}, column {fault.colno}") from None
    except ValueError:  # Python does not convert integers of more than 4300 digits
        raise BadJson("a number is too large") from None
    _check(value)
    return value


def parse_object(data: bytes) -> dict[str, Any]:
    """As `parse_value`, for a JSON object. Raises BadJson."""
    value = parse_value(data)
    if not isinstance(value, dict):
        raise BadJson("it is not a JSON object")
    return value
