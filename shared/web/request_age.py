"""The age of a request, which limits what it may spend.

A process that resumes after a suspension finds requests whose clients have given up and retried elsewhere.
Code that spends a code, a refresh token or a `jti` checks the age first, or passes the deadline to its
statement.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import cast

from aiohttp import web

from shared.live import clock
from shared.web.forwarded import PROXIES, peer_address
from shared.web.request import Request

MAX_AGE = timedelta(seconds=12)
"""The time within which a request is answered or cancelled; nginx waits 15 s, and Caddy 30 s.
"""

REQUEST_START = "X-Request-Start"

_STAMP = re.compile(r"(?:t=)?(\d{10}(?:\.\d{1,9})?|\d{13}|\d{16})", re.ASCII)
_UNITS = {13: 1_000, 16: 1_000_000}  # milliseconds, microseconds; fewer digits are seconds


def parse_stamp(value: str) -> datetime | None:
    """The time in an `X-Request-Start`: s, ms or µs since 1970, such as `t=1700000000.123`; `t=` is optional.

    None: the value has none of these forms.
    """
    if not (match := _STAMP.fullmatch(value)):
        return None
    digits = match[1]
    return datetime.fromtimestamp(float(digits) / _UNITS.get(len(digits.partition(".")[0]), 1), UTC)


def request_age(request: web.Request) -> timedelta:
    """The time since a trusted proxy stamped the request, or at least since this process read its head.

    Never negative. A proxy's stamp is compared with this machine's clock; a stamp in the future counts as
    now.
    """
    age = timedelta(seconds=clock.monotonic() - cast(Request, request).read_at)
    value = request.headers.get(REQUEST_START)
    if value is None or not request.app[PROXIES].trusts(peer_address(request)):
        return age
    stamp = parse_stamp(value)
    return max(age, clock.now() - stamp) if stamp else age


def time_since_complete(request: web.Request) -> timedelta:
    """The time since the last byte of the request was read. Work that began earlier overlapped with it.

    It is monotonic and no header influences it. If the body arrived long after the head, the body counts.
    """
    return timedelta(seconds=clock.monotonic() - cast(Request, request).completed_at)


def is_abandoned(request: web.Request) -> bool:
    """Whether the client has closed its connection. Then nothing may be spent."""
    return request.transport is None
