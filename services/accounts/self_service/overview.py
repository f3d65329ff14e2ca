"""The first page: who the user is, how they sign in, and the applications that they can open."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from services.accounts.self_service.new_passkey import NewPasskeys
from services.accounts.visit.access import AccountAccess
from services.accounts.visit.visit import Visit, user_of
from shared.browser.applications import applications
from shared.browser.pages.account_pages import AccountPages
from shared.browser.pages.ago import Ago
from shared.browser.pages.views.account.overview import AccountOverviewView, FactorState, PasskeyOffer
from shared.config.settings import Settings
from shared.live import clock
from shared.model import User
from shared.oauth.authentication_methods import Method, methods_of
from shared.operations.new_passkeys import CONDITIONAL
from shared.paths import ACCOUNT_PASSKEYS
from shared.store import (
    PASSKEY,
    PASSWORD,
    Clients,
    Consents,
    Credential,
    PersonalAccessTokens,
    RecoveryLinks,
    Sessions,
    UserCredentials,
    Users,
)
from shared.store.ports.credentials import RECOVERY, TOTP


@dataclass(frozen=True, slots=True)
class Overview:
    """The collaborators of the page."""

    settings: Settings
    access: AccountAccess
    users: Users
    credentials: UserCredentials
    sessions: Sessions
    consents: Consents
    tokens: PersonalAccessTokens
    clients: Clients
    new_passkeys: NewPasskeys
    links: RecoveryLinks
    pages: AccountPages

    async def get(self, visit: Visit) -> web.Response:
        """Show the page."""
        user = await user_of(visit, self.users)
        stored = await self.credentials.of_user(user.user_id)
        credentials = {each.kind: each for each in stored}
        password, now = credentials.get(PASSWORD), clock.now()
        held_until = await self.links.held_until(user.user_id)
        view = AccountOverviewView(
            username=user.username,
            name=_name(user),
            email=user.claims.get("email"),
            may_change_email=self.settings.mail_server is not None,
            is_email_verified=user.claims.get("email_verified") is True,
            groups=user.groups or (),
            roles=user.roles or (),
            password_set=Ago.of(password.created_at, now) if password else None,
            passkeys=sum(each.kind == PASSKEY for each in stored),
            factor=self._factor(visit, has_app=TOTP in credentials),
            recovery_codes=remaining(credentials.get(RECOVERY)),
            sessions=len(await self.sessions.of_user(user.user_id)),
            connections=len(await self.consents.of_user(user.user_id)),
            tokens=len(await self.tokens.of_user(user.user_id)),
            applications=await applications(self.clients, self.settings.issuer),
            signals=self.new_passkeys.signals(visit, stored),
            offer=None if held_until else await self._offer(visit, stored),
            held_until=held_until,
            done=visit.done,
        )
        return self.pages.overview(view, visit.locale)

    async def _offer(self, visit: Visit, stored: Sequence[Credential]) -> PasskeyOffer | None:
        """What the browser may make a passkey of by itself, for a user who has just typed their password."""
        by_password = Method.PASSWORD in methods_of(visit.session.authentication.amr)
        if not by_password or not await self.access.may_change(visit):
            return None
        options = self.new_passkeys.options(visit, stored, CONDITIONAL)
        return PasskeyOffer(ACCOUNT_PASSKEYS.path, options, visit.fields_of(ACCOUNT_PASSKEYS))

    def _factor(self, visit: Visit, *, has_app: bool) -> FactorState:
        if not self.settings.has_second_factors:
            return "unavailable"
        if not has_app:
            return "off"
        return "required" if self.access.needs_second_factor(visit.session) else "on"


def _name(user: User) -> str:
    name = user.claims.get("name")
    return name if isinstance(name, str) and name.strip() else user.username


def remaining(recovery: Credential | None) -> int:
    """The number of recovery codes that are left."""
    return len(recovery.data["hashes"]) if recovery else 0
