"""Whether another clock agrees with this machine's."""

from datetime import datetime, timedelta

from shared.live import clock
from shared.operations.doctor.findings import Finding, bad, good

MAX_SKEW = timedelta(seconds=5)


def clock_finding(subject: str, server_time: datetime, before: datetime) -> Finding:
    """*server_time* was read between *before* and now."""
    late, early = before - server_time, server_time - clock.now()
    if max(late, early) > MAX_SKEW:
        seconds = int(max(late, early).total_seconds())
        return bad(
            subject,
            f"its clock differs by {seconds} s from this machine's: use the same time server for both",
        )
    return good(subject, "answers, and its clock agrees with this machine's")
