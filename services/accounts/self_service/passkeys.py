"""The page of the user's passkeys: add one, or remove one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from aiohttp import web

from services.accounts.self_service.new_passkey import NewPasskeys
from services.accounts.self_service.overview import remaining
from services.accounts.visit.access import AccountAccess
from services.accounts.visit.done import done_uri
from services.accounts.visit.identifier import identifier_of
from services.accounts.visit.visit import Visit, user_of
from shared.browser.device_name import device_name
from shared.browser.notices import Notices
from shared.browser.pages.account_pages import AccountPages
from shared.browser.pages.ago import Ago
from shared.browser.pages.views.account.passkeys import (
    PasskeyFault,
    PasskeysView,
    PasskeyView,
    RecoveryCodesOffer,
)
from shared.identity.passkeys.passkey import Passkey
from shared.identity.passkeys.providers import provider_of
from shared.identity.passkeys.response import PasskeyRefused
from shared.live import clock
from shared.oauth.parameters import Parameters
from shared.paths import ACCOUNT_SECOND_FACTOR
from shared.store import (
    PASSKEY,
    PASSWORD,
    Credential,
    MailKind,
    NewMail,
    Taken,
    UserCredentials,
    Users,
)
from shared.store.ports.credentials import RECOVERY
from shared.web.answers import see_other

NAME, REMOVE = "name", "remove"

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

    async def get(self, visit: Visit) -> web.Response:
        """Show the user's passkeys, and offer to add one."""
        return await self._page(visit)

    async def post(self, visit: Visit, fields: Parameters) -> web.Response:
        """Add the passkey that `passkey` describes, or remove the one that `remove` names."""
        if fields.unique(REMOVE) is not None:
            return await self._remove(visit, identifier_of(fields, REMOVE))
        name = (fields.unique(NAME) or "").strip() or _device(visit.request)
        return await self._add(visit, fields.unique(PASSKEY) or "", name)

    async def _add(self, visit: Visit, result: str, name: str) -> web.Response:
        """Add the passkey of a ceremony's *result*, and tell the user by mail."""
        mails = await self._mails(visit, "passkey_added")
        try:
            await self.new_passkeys.add(visit, result, name, mails)
        except PasskeyRefused as refused:
            logger.info("passkey_refused", user_id=str(visit.user_id), reason=str(refused))
            return await self._page(visit, "refused")
        except Taken:
            return await self._page(visit, "taken")
        visit.log_change("passkey_added")
        return see_other(done_uri(visit.page, "passkey"))

    async def _remove(self, visit: Visit, credential_id: UUID) -> web.Response:
        """Remove a passkey, unless the user could not sign in any more."""
        if _is_passkey_of(await self.credentials.of_user(visit.user_id), credential_id):
            is_needed = self.access.needs_second_factor(visit.session)
            mails = await self._mails(visit, "passkey_removed")
            await self.credentials.remove(
                visit.user_id, credential_id, keeps_sign_in=True, keeps_second_factor=is_needed, mails=mails
            )
            stored = await self.credentials.of_user(visit.user_id)
            if _is_passkey_of(stored, credential_id):
                has_password = any(each.kind == PASSWORD for each in stored)
                return await self._page(visit, "needed" if has_password else "last")
            visit.log_change("passkey_removed")
        return see_other(done_uri(visit.page, "passkey_removed"))

    async def _mails(self, visit: Visit, kind: MailKind) -> Sequence[NewMail]:
        """What tells the user of a change."""
        return self.notices.about(visit.request, await user_of(visit, self.users), kind)

    async def _page(self, visit: Visit, fault: PasskeyFault | None = None) -> web.Response:
        stored = await self.credentials.of_user(visit.user_id)
        credentials = [each for each in stored if each.kind == PASSKEY]
        view = PasskeysView(
            visit.page.path,
            tuple(_shown(each) for each in credentials),
            self.new_passkeys.options(visit, credentials),
            self.new_passkeys.signals(visit, credentials),
            _device(visit.request),
            self._recovery_codes(visit, stored) if credentials else None,
            fault,
            visit.done,
            visit.fields,
        )
        return self.pages.passkeys(view, visit.locale)

    def _recovery_codes(self, visit: Visit, stored: Iterable[Credential]) -> RecoveryCodesOffer | None:
        """What leads to the page of the second factor. None: nobody here asks for recovery codes."""
        if not self.access.settings.has_second_factors:
            return None
        left = next((remaining(each) for each in stored if each.kind == RECOVERY), 0)
        return RecoveryCodesOffer(ACCOUNT_SECOND_FACTOR.path, left, visit.fields_of(ACCOUNT_SECOND_FACTOR))


def _is_passkey_of(credentials: Iterable[Credential], credential_id: UUID) -> bool:
    return any(each.kind == PASSKEY and each.credential_id == credential_id for each in credentials)


def _device(request: web.Request) -> str:
    """A name for a passkey that is made in this browser."""
    browser, system = device_name(request.headers.get("User-Agent"))
    return " · ".join(filter(None, (browser, system)))


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
