"""How long ago something was, for people: the same in every time zone. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

_DAY = timedelta(days=1)
_UNITS = (
    ("year", 365 * _DAY),
    ("month", 30 * _DAY),
    ("day", _DAY),
    ("hour", timedelta(hours=1)),
    ("minute", timedelta(minutes=1)),
)


@dataclass(frozen=True, slots=True)
class Ago:
    """A time in the past: a *number* of units (`minute`, `hour` …), or just now, without a unit."""

    at: datetime
    unit: str | None
    number: int

    @classmethod
    def of(cls, at: datetime, now: datetime) -> Self:
        """By the largest unit of which at least one has passed."""
        for unit, length in _UNITS:
            if number := int((now - at) / length) if at < now else 0:
                return cls(at, unit, number)
        return cls(at, None, 0)
