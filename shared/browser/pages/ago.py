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
    """A time in the past as the catalogues say it: `key` is `now`, a unit, or its plural with `number`."""

    at: datetime
    key: str
    number: int

    @classmethod
    def of(cls, at: datetime, now: datetime) -> Self:
        """By the largest unit of which at least one has passed."""
        for unit, length in _UNITS:
            if number := int((now - at) / length) if at < now else 0:
                return cls(at, unit if number == 1 else f"{unit}s", number)
        return cls(at, "now", 0)
