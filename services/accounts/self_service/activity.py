"""The page of the user's activity: their part of the audit log, the latest first."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from services.accounts.visit.visit import Visit
from shared.browser.device_name import device_name
from shared.browser.pages import ClientView
from shared.browser.pages.account_pages import AccountPages
from shared.browser.pages.ago import Ago
from shared.browser.pages.views.account.activity import ActivityEvent, ActivityView
from shared.live import clock
from shared.live.client_cache import ClientCache
from shared.model import AuditRecord
from shared.oauth.errors import InvalidRequest
from shared.store import AuditLog
from shared.web.form import query

BEFORE = "before"
SHOWN = 25

_OF_CREDENTIALS = frozenset({"credential_added", "credential_removed"})
_SUBJECTS = ("name", "group", "role")
"""Members of a row's detail that say what it is about."""


@dataclass(frozen=True, slots=True)
class ActivityPage:
    """The collaborators of the page."""

    audit_log: AuditLog
    clients: ClientCache
    pages: AccountPages

    async def get(self, visit: Visit) -> web.Response:
        """Show the latest events, or those before the row that `before` names."""
        before = _position(query(visit.request).unique(BEFORE))
        records = await self.audit_log.of_user(visit.user_id, before, SHOWN + 1)
        shown = records[:SHOWN]
        names = {each.client_id: await self._name(each.client_id) for each in shown if each.client_id}
        view = ActivityView(
            tuple(_event(each, names) for each in shown),
            f"{visit.page}?{BEFORE}={shown[-1].audit_id}" if len(records) > SHOWN else None,
            visit.page.path if before is not None else None,
        )
        return self.pages.activity(view, visit.locale)

    async def _name(self, client_id: str) -> str:
        client = await self.clients.find(client_id)
        return ClientView.of(client).name if client else client_id


def _position(text: str | None) -> int | None:
    """Raises InvalidRequest."""
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise InvalidRequest("before is malformed")
    return int(text)


def _event(record: AuditRecord, names: Mapping[str, str]) -> ActivityEvent:
    detail = record.detail
    kind = f"{record.event}_{detail.get('kind')}" if record.event in _OF_CREDENTIALS else record.event
    detailed = next((str(detail[member]) for member in _SUBJECTS if member in detail), None)
    subject = names[record.client_id] if record.client_id else detailed
    browser, system = device_name(detail.get("user_agent"))
    return ActivityEvent(
        kind,
        Ago.of(record.at, clock.now()),
        subject,
        browser,
        system,
        detail.get("address"),
    )
