"""The Cookie header, read as browsers write it: RFC 6265 §4.2.1. Pure."""

from collections.abc import Iterable

_BLANK = " \t"
"""What surrounds a pair. Browsers keep every other space, U+00A0 and U+2000 included, as part of the name: a
reader that trims those, too, takes a cookie that any site of the domain may set for a `__Host-` one."""


def cookie_pairs(headers: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Names and values in the order in which they were sent, of all Cookie headers of a request."""
    pairs = (pair.strip(_BLANK).partition("=") for header in headers for pair in header.split(";"))
    return tuple((name, value) for name, _, value in pairs)
