"""Parses the Cookie header as browsers write it (RFC 6265 §4.2.1). Pure."""

from collections.abc import Iterable

_BLANK = " \t"
"""The characters trimmed around a pair.

Browsers keep every other space, including U+00A0 and U+2000, as part of the name. A parser that trims those
too would take a cookie that any site of the domain may set for a `__Host-` one.
"""


def cookie_pairs(headers: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The names and values of all Cookie headers of a request, in the order in which they were sent."""
    pairs = (pair.strip(_BLANK).partition("=") for header in headers for pair in header.split(";"))
    return tuple((name, value) for name, _, value in pairs)
