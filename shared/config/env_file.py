"""An environment file: the `NAME=value` lines that Docker Compose and systemd read in the same way. Pure.

Blank lines and lines that begin with `#` are skipped; `export ` before a name and a byte-order mark are
ignored. A value may be in single quotes, in which no character is special, or in double quotes, in which `"`,
`$` and the backslash are escaped with a backslash. Values that the two programs read differently are
rejected: `$` and backslashes outside single quotes, ` #` after a value, text after a closing quote, and
values of several lines. Lines whose names have another prefix belong to other programs and are ignored in any
form.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_LINE = re.compile(r"\s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)[ \t]*(?:=[ \t]*(?P<value>.*?))?\s*")
_SINGLE = re.compile(r"'([^']*)'")
_DOUBLE = re.compile(r'"((?:[^"\\$]|\\["\\$])*)"')
_ESCAPED = re.compile(r'\\(["\\$])')


class BadValue(Exception):
    """Docker Compose and systemd read the value differently. The message says what to write instead."""


@dataclass(frozen=True, slots=True)
class EnvFile:
    """The values by name, and a sentence for each unreadable line."""

    values: Mapping[str, str]
    faults: tuple[str, ...]


def parse(text: str, prefix: str) -> EnvFile:
    """The lines of *text* whose name begins with *prefix*; the last of several with one name counts."""
    values: dict[str, str] = {}
    faults: list[str] = []
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        match = _LINE.fullmatch(line)
        if not match or not match["name"].startswith(prefix):
            continue
        try:
            values[match["name"]] = _value(match["value"])
        except BadValue as fault:
            faults.append(f"line {number}, {match['name']}: {fault}")
    return EnvFile(values, tuple(faults))


def _value(written: str | None) -> str:
    if written is None:
        raise BadValue("there is no = after the name")
    if written.startswith("'"):
        return _single(written)
    if written.startswith('"'):
        return _double(written)
    if re.search(r"[\\$]|\s#|^#", written):
        raise BadValue("put a value with $, # or a backslash in single quotes")
    return written


def _single(written: str) -> str:
    match = _SINGLE.fullmatch(written)
    if not match:
        raise BadValue("the single quotes must end the line, and cannot hold another")
    if match[1].endswith("\\"):
        raise BadValue("a backslash cannot stand before the closing quote")
    return match[1]


def _double(written: str) -> str:
    match = _DOUBLE.fullmatch(written)
    if not match:
        raise BadValue(
            r"in double quotes, which must end the line, write \", \\ and \$; nothing else is escaped"
        )
    return _ESCAPED.sub(r"\1", match[1])


def line(name: str, value: str) -> str:
    """A line that `parse` reads as *value*, which must not contain a line break."""
    return f'{name}="' + re.sub(r'(["\\$])', r"\\\1", value) + '"\n'
