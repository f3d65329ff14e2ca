"""Delivering logout notices: OpenID Connect Back-Channel Logout 1.0 §2.5.

Every process takes due notices from the outbox, each under a lease of its own. A notice is delivered at least
once, always with the same `jti`, and is deleted when the client answers 2xx.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urlsplit

import structlog

from services.worker.job import Job
from services.worker.logout.token import LogoutTokens
from services.worker.retries import AT_A_TIME, EVERY, LEASE, PATIENCE, next_try, until_nothing_is_due
from shared.fetch import FetchFailed
from shared.fetch.breaker import PER_HOST
from shared.issuing.encryption import NoRecipient
from shared.live.client_cache import ClientCache
from shared.server.metrics import count_event
from shared.store import LogoutNotice, Outbox, Unavailable

TRIED_FOR = timedelta(days=1)

HostSlots = Mapping[str, asyncio.Semaphore]
"""As many for each host as the fetcher has. A notice that found its host busy would wait for its next try."""

logger = structlog.get_logger()


class FormPoster(Protocol):
    """The part of the guarded fetcher that delivery needs."""

    async def post_form(self, uri: str, form: Mapping[str, str]) -> int:
        """The status of the answer. Raises FetchFailed."""


@dataclass(frozen=True, slots=True)
class NoticeDelivery:
    """Delivers the notices of the outbox."""

    outbox: Outbox
    clients: ClientCache
    tokens: LogoutTokens
    poster: FormPoster

    async def deliver(self, now: datetime) -> int:
        """Try to deliver at most AT_A_TIME due notices. Returns their number. Raises Unavailable."""
        notices = await self.outbox.take(AT_A_TIME, LEASE, now)
        slots: HostSlots = defaultdict(lambda: asyncio.Semaphore(PER_HOST))
        await asyncio.gather(*(self._try(notice, now, slots) for notice in notices))
        return len(notices)

    async def _try(self, notice: LogoutNotice, now: datetime, slots: HostSlots) -> None:
        fields = {"client_id": notice.client_id, "sid": str(notice.sid), "tries": notice.tries}
        try:
            if fault := await self._post(notice, now, slots):
                await self._failed(notice, now, {**fields, "cause": fault})
            else:
                await self.outbox.settle(notice.notice_id)
        except Unavailable as fault:  # the notice is due again when its lease ends
            logger.warning("logout_notice_delayed", **fields, cause=str(fault))
        except Exception:  # a defect must not delay the other notices; this one is due again, too
            logger.exception("logout_notice_defect", **fields)

    async def _post(self, notice: LogoutNotice, now: datetime, slots: HostSlots) -> str | None:
        """The reason why delivery failed. None: it succeeded, or the client wants no notices any more."""
        client = await self.clients.find(notice.client_id)
        if client is None or client.disabled_at or client.backchannel_logout_uri is None:
            return None
        try:
            token = await self.tokens.issue(notice, client, now)
            async with slots[urlsplit(client.backchannel_logout_uri).netloc]:
                status = await self.poster.post_form(client.backchannel_logout_uri, {"logout_token": token})
        except (FetchFailed, NoRecipient) as fault:
            return str(fault)
        if status not in range(200, 300):
            return f"answered {status}"
        count_event("logout_notice")
        logger.info("logout_notice_delivered", client_id=notice.client_id, sid=str(notice.sid))
        return None

    async def _failed(self, notice: LogoutNotice, now: datetime, fields: Mapping[str, object]) -> None:
        if due_at := next_try(notice.tries, notice.created_at + TRIED_FOR, now):
            await self.outbox.put_off(notice.notice_id, due_at)
            count_event("logout_notice", "failed")
            logger.warning("logout_notice_failed", **fields)
        else:
            await self.outbox.give_up(notice.notice_id, now)
            count_event("logout_notice", "given_up")
            logger.error("logout_notice_given_up", **fields)


def logout_notices(delivery: NoticeDelivery) -> Job:
    """The job, which delivers notices as they become due."""
    work = until_nothing_is_due(delivery.deliver)
    return Job(name="logout_notices", work=work, every=EVERY, is_leased=False, patience=PATIENCE)
