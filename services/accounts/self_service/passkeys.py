"""The page of the user's passkeys: add one, or remove one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from aiohttp import web

from services.accounts.self_service.access import AccountAccess, Visit
from services.accounts.self_service.device_name import device_name
from services.accounts.self_service.done import done_of, done_uri
from shared.browser.language import language
from shared.browser.pages.account_pages import AccountPages
from shared.browser.pages.account_views import PasskeyFault, PasskeysView, PasskeyView
from shared.browser.pages.ago import Ago
from shared.codec.base64url import base64url
from shared.identity.passkeys.challenge import LIFETIME, Challenges
from shared.identity.passkeys.options import creation_options
from shared.identity.passkeys.passkey import Passkey, RelyingParty
from shared.identity.passkeys.response import PasskeyRefused, UnverifiedResponse
from shared.identity.passkeys.verification import new_passkey
from shared.live import clock
from shared.live.randomness import new_id
from shared.oauth.errors import InvalidRequest
from shared.oauth.parameters import Parameters
from shared.paths import ACCOUNT_PASSKEYS
from shared.store import PASSKEY, PASSWORD, Credential, ReplayMarks, Taken, UserCredentials
from shared.web.answers import see_other
from shared.web.form import query

NAME, REMOVE = "name", "remove"
MAX_PASSKEYS = 20
MAX_NAME = 60

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PasskeysPage:
    """The collaborators of the page."""

    access: AccountAccess
    relying_party: RelyingParty
    challenges: Challenges
    credentials: UserCredentials
    replay_marks: ReplayMarks
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
        try:
            await self._add(request, visit, fields)
        except PasskeyRefused as refused:
            logger.info("passkey_refused", user_id=str(visit.user_id), reason=str(refused))
            return await self._page(request, visit, "refused")
        except Taken:
            return await self._page(request, visit, "taken")
        logger.info("account_changed", change="passkey_added", user_id=str(visit.user_id))
        return see_other(done_uri(ACCOUNT_PASSKEYS, "passkey"))

    async def _add(self, request: web.Request, visit: Visit, fields: Parameters) -> None:
        """Raises PasskeyRefused, Taken."""
        response = UnverifiedResponse.read(fields.unique(PASSKEY) or "")
        made_at = self.challenges.made_at(response.challenge, "create", _binding(visit), clock.now())
        if made_at is None:
            raise PasskeyRefused("the challenge is not one of this page, or too old")
        name = (fields.unique(NAME) or "").strip()[:MAX_NAME] or _device(request)
        passkey = new_passkey(response, self.relying_party, name=name)
        if len(await self._passkeys(visit)) >= MAX_PASSKEYS:
            raise PasskeyRefused("the user has too many passkeys")
        owner, challenge = str(visit.user_id), base64url(response.challenge)
        if not await self.replay_marks.add(PASSKEY, owner, challenge, made_at, made_at + LIFETIME):
            raise PasskeyRefused("the challenge was used before")
        await self.credentials.add(
            Credential(
                credential_id=new_id(),
                user_id=visit.user_id,
                kind=PASSKEY,
                data=passkey.to_json(),
                created_at=clock.now(),
            )
        )

    async def _remove(self, request: web.Request, visit: Visit, credential_id: UUID) -> web.Response:
        """Remove a passkey, unless the user could not sign in any more."""
        credentials = await self.credentials.of_user(visit.user_id)
        if not _can_sign_in(each for each in credentials if each.credential_id != credential_id):
            return await self._page(request, visit, "last")
        if _is_passkey_of(credentials, credential_id):
            await self.credentials.remove(visit.user_id, credential_id)
            logger.info("account_changed", change="passkey_removed", user_id=str(visit.user_id))
        return see_other(done_uri(ACCOUNT_PASSKEYS, "passkey_removed"))

    async def _passkeys(self, visit: Visit) -> Sequence[Credential]:
        return [each for each in await self.credentials.of_user(visit.user_id) if each.kind == PASSKEY]

    async def _page(
        self, request: web.Request, visit: Visit, fault: PasskeyFault | None = None
    ) -> web.Response:
        credentials = await self._passkeys(visit)
        challenge = self.challenges.new("create", _binding(visit), clock.now())
        view = PasskeysView(
            ACCOUNT_PASSKEYS.path,
            tuple(_shown(each) for each in credentials),
            creation_options(
                self.relying_party,
                challenge,
                visit.user_id,
                visit.session.username,
                [Passkey.from_json(each.data) for each in credentials],
            ),
            _device(request),
            fault,
            done_of(query(request)) if fault is None else None,
            visit.fields,
        )
        return self.pages.passkeys(view, language(request, self.pages.pages))


def _binding(visit: Visit) -> tuple[str, ...]:
    """Handles that only this browser has, and the user whose passkey it becomes."""
    return visit.handle, str(visit.user_id)


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
    )
