"""How long a fetched document is fresh: RFC 9111 §4.2, within bounds. Pure."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

SHORTEST = timedelta(minutes=1)
LONGEST = timedelta(days=1)
BY_DEFAULT = timedelta(minutes=5)

_MAX_AGE = re.compile(r"(?:^|,)\s*max-age\s*=\s*\"?([0-9]{1,10})", re.IGNORECASE)
_NEVER = re.compile(r"(?:^|,)\s*no-(?:store|cache)\s*(?:,|$|=)", re.IGNORECASE)


def fresh_for(headers: Mapping[str, str]) -> timedelta:
    """The time after which it is fetched again. *headers*: those of the response, found whatever their case.

    A document without a lifetime is good for BY_DEFAULT; the bounds hold for every other.
    """
    return min(max(_lifetime(headers), SHORTEST), LONGEST)


def _lifetime(headers: Mapping[str, str]) -> timedelta:
    cache_control = headers.get("Cache-Control", "")
    if _NEVER.search(cache_control):
        return timedelta()
    if match := _MAX_AGE.search(cache_control):
        age = headers.get("Age", "")
        return timedelta(seconds=int(match[1]) - (int(age[:10]) if age.isdecimal() else 0))
    if "Expires" in headers:
        expires, date = _moment(headers["Expires"]), _moment(headers.get("Date", ""))
        return expires - date if expires and date else timedelta()
    return BY_DEFAULT


def _moment(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
