"""The page of the user's passkeys: add one, or remove one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from aiohttp import web

from services.accounts.self_service.access import AccountAccess, Visit
from services.accounts.self_service.done import done_of, done_uri
from services.accounts.self_service.new_passkey import NewPasskeys
from shared.browser.device_name import device_name
from shared.browser.language import language
from shared.browser.notices import Notices
from shared.browser.pages.account_pages import AccountPages
from shared.browser.pages.account_views import PasskeyFault, PasskeysView, PasskeyView
from shared.browser.pages.ago import Ago
from shared.identity.passkeys.passkey import Passkey
from shared.identity.passkeys.providers import provider_of
from shared.identity.passkeys.response import PasskeyRefused
from shared.live import clock
from shared.model import User
from shared.oauth.errors import InvalidRequest
from shared.paths import ACCOUNT_PASSKEYS
from shared.store import PASSKEY, PASSWORD, Credential, Taken, UserCredentials, Users
from shared.web.answers import see_other
from shared.web.form import query

NAME, REMOVE = "name", "remove"
MAX_NAME = 60

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PasskeysPage:
    """The collaborators of the page."""

    access: AccountAccess
    credentials: UserCredentials
    new_passkeys: NewPasskeys
    users: Users
    notices: Notices
    pages: AccountPages

    async def get(self, request: web.Request) -> web.Response:
        """Show the user's passkeys, and offer to add one."""
        visit = await self.access.open(request, ACCOUNT_PASSKEYS, is_sensitive=True)
        return await self._page(request, visit)

    async def post(self, request: web.Request) -> web.Response:
        """Add the passkey that `passkey` describes, or remove the one that `remove` names."""
        visit, fields = await self.access.submitted(request, ACCOUNT_PASSKEYS, is_sensitive=True)
        if (removed := fields.unique(REMOVE)) is not None:
            return await self._remove(request, visit, _credential_id(removed))
        name = (fields.unique(NAME) or "").strip()[:MAX_NAME] or _device(request)
        mails = self.notices.about(request, await self._user(request, visit), "passkey_added")
        try:
            await self.new_passkeys.add(visit, fields.unique(PASSKEY) or "", name, mails)
        except PasskeyRefused as refused:
            logger.info("passkey_refused", user_id=str(visit.user_id), reason=str(refused))
            return await self._page(request, visit, "refused")
        except Taken:
            return await self._page(request, visit, "taken")
        logger.info("account_changed", change="passkey_added", user_id=str(visit.user_id))
        return see_other(done_uri(ACCOUNT_PASSKEYS, "passkey"))

    async def _remove(self, request: web.Request, visit: Visit, credential_id: UUID) -> web.Response:
        """Remove a passkey, unless the user could not sign in any more."""
        credentials = await self.credentials.of_user(visit.user_id)
        if not _can_sign_in(each for each in credentials if each.credential_id != credential_id):
            return await self._page(request, visit, "last")
        if _is_passkey_of(credentials, credential_id):
            await self.credentials.remove(visit.user_id, credential_id)
            logger.info("account_changed", change="passkey_removed", user_id=str(visit.user_id))
        return see_other(done_uri(ACCOUNT_PASSKEYS, "passkey_removed"))

    async def _user(self, request: web.Request, visit: Visit) -> User:
        if user := await self.users.find(visit.user_id):
            return user
        raise self.access.gone(request, ACCOUNT_PASSKEYS)

    async def _passkeys(self, visit: Visit) -> Sequence[Credential]:
        return [each for each in await self.credentials.of_user(visit.user_id) if each.kind == PASSKEY]

    async def _page(
        self, request: web.Request, visit: Visit, fault: PasskeyFault | None = None
    ) -> web.Response:
        credentials = await self._passkeys(visit)
        view = PasskeysView(
            ACCOUNT_PASSKEYS.path,
            tuple(_shown(each) for each in credentials),
            self.new_passkeys.options(visit, credentials),
            self.new_passkeys.signals(visit, credentials),
            _device(request),
            fault,
            done_of(query(request)) if fault is None else None,
            visit.fields,
        )
        return self.pages.passkeys(view, language(request, self.pages.pages))


def _can_sign_in(credentials: Iterable[Credential]) -> bool:
    return any(each.kind in (PASSWORD, PASSKEY) for each in credentials)


def _is_passkey_of(credentials: Iterable[Credential], credential_id: UUID) -> bool:
    return any(each.kind == PASSKEY and each.credential_id == credential_id for each in credentials)


def _device(request: web.Request) -> str:
    """A name for a passkey that is made in this browser."""
    browser, system = device_name(request.headers.get("User-Agent"))
    return " · ".join(filter(None, (browser, system)))


def _credential_id(text: str) -> UUID:
    """Raises InvalidRequest."""
    try:
        return UUID(text)
    except ValueError:
        raise InvalidRequest("remove is malformed") from None


def _shown(credential: Credential) -> PasskeyView:
    passkey, now = Passkey.from_json(credential.data), clock.now()
    return PasskeyView(
        str(credential.credential_id),
        passkey.name,
        passkey.is_synced,
        Ago.of(credential.created_at, now),
        Ago.of(credential.last_used_at, now) if credential.last_used_at else None,
        provider_of(passkey.aaguid),
    )
