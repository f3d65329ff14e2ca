"""Durations: a number of seconds, or a number with a unit."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, PlainSerializer

_DURATION = re.compile(r"([0-9]{1,9})(s|m|h|d)?")
_SECONDS = {None: 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def _duration(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not (match := _DURATION.fullmatch(value.strip())):
        raise ValueError("is not a duration: write seconds, or a number with s, m, h or d, such as 10m")
    return timedelta(seconds=int(match[1]) * _SECONDS[match[2]])


def parse_duration(text: str) -> timedelta:
    """A duration in seconds, or with a unit: `90`, `10m`, `60d`. Raises ValueError."""
    value = _duration(text)
    assert isinstance(value, timedelta)
    return _positive(value)


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise ValueError("must be longer than zero")
    return value


def _of_days(value: timedelta) -> timedelta:
    if not timedelta(days=1) <= value <= timedelta(days=365):
        raise ValueError("must be between 1d and 365d")
    return value


def _seconds(value: timedelta) -> str:
    return f"{value.total_seconds():.0f}s"


Delay = Annotated[timedelta, BeforeValidator(_duration)]
Duration = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_positive)]
DurationOfDays = Annotated[Duration, AfterValidator(_of_days), PlainSerializer(_seconds, when_used="json")]
