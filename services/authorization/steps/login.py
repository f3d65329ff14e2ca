"""The login step: a user name, a password, and a session that begins."""

import math
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog
from aiohttp import web

from services.authorization.authentication.throttling import Throttle, Try
from services.authorization.interaction.asked import Waiting
from services.authorization.interaction.context import Desk
from services.authorization.interaction.next_step import Create, Login
from services.authorization.response.callback import see_other
from shared.browser.pages import ClientView, LoginFault, LoginView
from shared.browser.same_origin import check_same_origin
from shared.identity.passwords import PasswordQueueFull, Passwords
from shared.identity.username import canonical
from shared.live import clock
from shared.live.randomness import new_handle, new_id
from shared.model import Authentication, Session, User
from shared.oauth.errors import AccessDenied, TemporarilyUnavailable
from shared.oauth.parameters import Parameters
from shared.oauth.supported import ACR_PASSWORD
from shared.oauth.tokens.handle import Kind, digest
from shared.paths import AUTHORIZATION, LOGIN, SIGN_UP
from shared.server.metrics import count_event
from shared.store import Users
from shared.web.form import form, query
from shared.web.forwarded import client_address

WRONG = 400
TOO_MANY = 429

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class WaitLonger:
    """The password was not looked at."""

    wait: timedelta


@dataclass(frozen=True, slots=True)
class SignIn:
    """The login step's collaborators."""

    desk: Desk
    users: Users
    passwords: Passwords
    throttle: Throttle

    async def get(self, request: web.Request) -> web.Response:
        """The form; whoever need not sign in any more goes on."""
        waiting = await self.desk.open(request, query(request))
        if not isinstance(await self.desk.step(request, waiting), Login | Create):
            return see_other(waiting.at(AUTHORIZATION))
        return self._page(waiting, waiting.asked.request.login_hint or "")

    async def post(self, request: web.Request) -> web.Response:
        """Begin a session if the password is right. Nothing tells why it is not."""
        check_same_origin(request, self.desk.settings.origin)
        fields = await form(request)
        waiting = await self.desk.open(request, fields)
        username = fields["username"] or ""
        match await self.authenticate(fields, client_address(request)):
            case WaitLonger(wait):
                seconds = math.ceil(wait.total_seconds())
                return self._page(waiting, username, "throttled", TOO_MANY, retry_after=seconds)
            case None:
                return self._page(waiting, username, "credentials", WRONG)
            case user:
                return await self.enter(request, waiting, user)

    async def authenticate(self, fields: Parameters, address: str) -> User | WaitLonger | None:
        """Whose name and password these are, if they hold. Raises TemporarilyUnavailable, Unavailable."""
        username, password = fields["username"], fields["password"]
        if username is None or password is None:
            return None
        credential = await self.users.find_credential(username)
        one = Try(str(credential.user.user_id) if credential else canonical(username), address)
        if wait := await self.throttle.admit(one):
            count_event("sign_in", "throttled")
            logger.info("sign_in_throttled", address=address, seconds=wait.total_seconds())
            return WaitLonger(wait)
        try:
            verdict = await self.passwords.check(credential.password_hash if credential else None, password)
        except PasswordQueueFull as fault:
            await self.throttle.take_back(one)
            raise TemporarilyUnavailable("too many people sign in just now", detail=str(fault)) from None
        if credential is None or not verdict.is_right or credential.user.disabled_at:
            await self._note_failure(credential.user if credential else None, address)
            return None
        await self.throttle.succeeded(one)
        if verdict.new_hash and credential.password_hash:
            await self.users.rehash(credential.user.user_id, credential.password_hash, verdict.new_hash)
        return credential.user

    async def _note_failure(self, user: User | None, address: str) -> None:
        count_event("sign_in", "failed")
        logger.info("sign_in_failed", user_id=str(user.user_id) if user else None, address=address)
        # The name that was typed is not kept: it may be a password in the wrong field.
        await self.desk.sessions.note_failure(user.user_id if user else None, {"address": address})

    async def begin_session(
        self, request: web.Request, user: User, replaced: bytes | None
    ) -> tuple[Session, str] | None:
        """A session and its handle: a new one at every login, whatever cookie the browser came with.

        *replaced*: the key of the session whose place it takes. None: the user was disabled after their
        password was checked.
        """
        handle, now = new_handle(Kind.SESSION), clock.now()
        session = Session(
            session_key=digest(handle),
            sid=new_id(),
            user_id=user.user_id,
            username=user.username,
            epoch=user.epoch,
            authentication=Authentication(auth_time=now, acr=ACR_PASSWORD, amr=("pwd",)),
            expires_at=now + self.desk.settings.session_lifetime,
        )
        detail = {"address": client_address(request)}
        begun = await self.desk.sessions.begin(session, replaced, detail)
        if begun is None:
            return None
        count_event("sign_in")
        logger.info("signed_in", user_id=str(user.user_id), sid=str(begun.sid))
        return begun, handle

    async def replaced(self, request: web.Request, user: User) -> bytes | None:
        """The key of the session that a new one of *user* replaces in this browser.

        Where several are presented, none of which counted, the others end here: the new one must be the only
        one that is alive.
        """
        keys = [digest(handle) for handle in self.desk.cookies.session_handles(request)]
        if len(keys) <= 1:
            return keys[0] if keys else None
        owners = {key: await self.desk.sessions.owner(key) for key in keys}
        own = next((key for key, owner in owners.items() if owner and owner.user_id == user.user_id), None)
        for key, owner in owners.items():
            if owner and key != own:
                await self.desk.sessions.end(owner.sid, "replaced")
        return own

    async def enter(self, request: web.Request, waiting: Waiting, user: User) -> web.Response:
        """Begin a session of *user* in this browser, and go on with the interaction."""
        kept, replaced = await self._others(request, waiting, user)
        begun = await self.begin_session(request, user, replaced)
        if begun is None:
            return self._page(waiting, user.username, "credentials", WRONG)
        session, handle = begun
        signed_in = replace(waiting.interaction, signed_in=session.session_key.hex())
        await self.desk.update(waiting, signed_in)
        response = see_other(waiting.at(AUTHORIZATION))
        self.desk.cookies.set_session(response, handle)
        if waiting.interaction.wants_another:
            self.desk.cookies.set_accounts(response, kept)
        return response

    async def _others(
        self, request: web.Request, waiting: Waiting, user: User
    ) -> tuple[tuple[str, ...], bytes | None]:
        """The sessions that this browser keeps beside the new one, and the key of the one that it replaces:
        the active one, or, where the user comes to those who are there, the one that they have already."""
        cookies = self.desk.cookies
        if not waiting.interaction.wants_another:
            return (), await self.replaced(request, user)
        presented = (*cookies.session_handles(request), *cookies.account_handles(request))
        handles = tuple(dict.fromkeys(presented))
        owners = {handle: await self.desk.sessions.owner(digest(handle)) for handle in handles}
        own = next((h for h, owner in owners.items() if owner and owner.user_id == user.user_id), None)
        kept = tuple(h for h, owner in owners.items() if owner and owner.user_id != user.user_id)
        return kept, digest(own) if own else None

    def _page(
        self,
        waiting: Waiting,
        username: str,
        fault: LoginFault | None = None,
        status: int = 200,
        retry_after: int | None = None,
    ) -> web.Response:
        asked = waiting.asked
        view = LoginView(
            ClientView.of(asked.client),
            LOGIN.path,
            username,
            fault,
            retry_after,
            asked.callback.link(AccessDenied("the user did not sign in").parameters()),
            waiting.fields,
            (asked.callback.redirect_uri,),
            waiting.at(SIGN_UP) if self.desk.settings.may_sign_up and not asked.request.subs else None,
        )
        return self.desk.pages.login(view, asked.locale, status)
