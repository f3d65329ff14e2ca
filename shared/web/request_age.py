"""The age of a request, which bounds whatever it spends.

A process that was suspended and resumes finds requests whose clients have given up and tried elsewhere.
Whatever spends a code, a refresh token or a `jti` compares the age, or sends the deadline with its statement.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import cast

from aiohttp import web

from shared.live import clock
from shared.web.forwarded import PROXIES, peer_address
from shared.web.request import Request

MAX_AGE = timedelta(seconds=12)
"""A request is answered or given up within this time: sooner than nginx (15 s) or Caddy (30 s) gives up."""

REQUEST_START = "X-Request-Start"

_STAMP = re.compile(r"(?:t=)?(\d{10}(?:\.\d{1,9})?|\d{13}|\d{16})", re.ASCII)
_UNITS = {13: 1_000, 16: 1_000_000}  # milliseconds, microseconds; fewer digits are seconds


def parse_stamp(value: str) -> datetime | None:
    """The time in an `X-Request-Start`, as proxies write it: `t=1700000000.123`, or in s, ms or µs.

    None: it is none of these.
    """
    if not (match := _STAMP.fullmatch(value)):
        return None
    digits = match[1]
    return datetime.fromtimestamp(float(digits) / _UNITS.get(len(digits.partition(".")[0]), 1), UTC)


def request_age(request: web.Request) -> timedelta:
    """The time since a trusted proxy stamped the request, or at least since this process read its head.

    Never negative. A proxy's stamp is compared with this machine's clock; one from the future counts as now.
    """
    age = timedelta(seconds=clock.monotonic() - cast(Request, request).read_at)
    value = request.headers.get(REQUEST_START)
    if value is None or not request.app[PROXIES].trusts(peer_address(request)):
        return age
    stamp = parse_stamp(value)
    return max(age, clock.now() - stamp) if stamp else age


def time_since_complete(request: web.Request) -> timedelta:
    """The time since the last byte of the request was read. Whatever began earlier overlapped with it.

    Monotonic, and never influenced by a header: a request whose head came early and whose body came late is
    as young as its body.
    """
    return timedelta(seconds=clock.monotonic() - cast(Request, request).completed_at)


def is_abandoned(request: web.Request) -> bool:
    """Whether the client's connection is closed: nobody would read the answer, so nothing may be spent."""
    return request.transport is None
