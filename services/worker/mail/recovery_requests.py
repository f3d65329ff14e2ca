"""Looks whether the names of those who have forgotten their password are users', and mails them links.

The page that takes the requests does not, so that its answer takes as long for a name that nobody has.
"""

from dataclasses import dataclass
from datetime import datetime

import structlog

from services.worker.job import Job
from services.worker.retries import AT_A_TIME, EVERY, LEASE, until_nothing_is_due
from shared.operations.recovery import RecoveryMails
from shared.server.metrics import count_event
from shared.store import RecoveryRequests

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RequestedLinks:
    """Handles the requests that wait."""

    requests: RecoveryRequests
    mails: RecoveryMails

    async def handle(self, now: datetime) -> int:
        """Handle at most AT_A_TIME due requests. Returns their number. Raises Unavailable."""
        requests = await self.requests.take(AT_A_TIME, LEASE, now)
        for request in requests:
            is_mailed = await self.mails.mail(request.contents)
            await self.requests.settle(request.request_id)
            count_event("recovery_request", "ok" if is_mailed else "unknown")
            logger.info("recovery_requested", is_mailed=is_mailed)
        return len(requests)


def recovery_requests(requests: RecoveryRequests, mails: RecoveryMails) -> Job:
    """The job, which handles requests as they come."""
    work = until_nothing_is_due(RequestedLinks(requests, mails).handle)
    return Job(name="recovery_requests", work=work, every=EVERY, is_leased=False)
