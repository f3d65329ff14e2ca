"""The sign-up step: a new user registers and is signed in. It exists if OSTIARY_SIGN_UP is `open`."""

import hmac
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from aiohttp import web

from services.authorization.authentication.authenticated import Authenticated
from services.authorization.authentication.new_user import NewUser, read_new_user
from services.authorization.authentication.password import PasswordAuthentication, Throttled
from services.authorization.authentication.proven import Proven
from services.authorization.interaction.context import InteractionContext
from services.authorization.interaction.dispatcher import Dispatcher
from services.authorization.interaction.lifecycle import InteractionLifecycle
from services.authorization.interaction.sign_in import InteractionSignIn
from services.authorization.interaction.step import Create, Login
from shared.browser.errors import StaleForm
from shared.browser.form_token import FORM_TOKEN, form_token, is_form_token
from shared.browser.pages import Pages, SignUpFault, SignUpView
from shared.identity.passwords import PasswordQueueFull, Passwords
from shared.live import clock
from shared.live.address_block import address_block
from shared.live.throttle import Throttle
from shared.model import User
from shared.oauth.authentication_methods import Method
from shared.oauth.errors import TemporarilyUnavailable
from shared.oauth.parameters import Parameters
from shared.operations.users import add_user
from shared.paths import AUTHORIZATION, LOGIN, SIGN_UP
from shared.server.metrics import count_event
from shared.store import Taken, Users
from shared.web.answers import see_other
from shared.web.forwarded import client_address

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SignUpStep:
    """The collaborators of the sign-up step."""

    lifecycle: InteractionLifecycle
    dispatcher: Dispatcher
    sign_in: InteractionSignIn
    pages: Pages
    users: Users
    passwords: Passwords
    least_password: int  # characters
    by_password: PasswordAuthentication
    throttle: Throttle
    secret_key: str = field(repr=False)

    async def get(self, request: web.Request) -> web.Response:
        """Show the form, unless the user no longer has to log in."""
        context = await self.lifecycle.open_page(request)
        if not await self._is_open(request, context):
            return context.resume()
        hint = context.validated.request.login_hint or ""
        return self._page(context, Parameters.of({"email" if "@" in hint else "username": hint}))

    async def post(self, request: web.Request) -> web.Response:
        """Add the user and begin their session. A form that is sent again signs in the user that it added."""
        context, fields = await self.lifecycle.open_form(request)
        if not await self._is_open(request, context):
            return context.resume()
        if not is_form_token(fields.unique(FORM_TOKEN), context.browser, _purpose(context)):
            raise StaleForm("the form was made for another browser", again=context.at(AUTHORIZATION))
        match await self._authenticate(request, context, fields):
            case Authenticated() as authenticated:
                response = await self.sign_in.complete(request, context, authenticated)
                return response or see_other(context.at(LOGIN))  # disabled in the meantime
            case Throttled() as throttled:
                return self._page(context, fields, "throttled", throttled.seconds)
            case fault:
                return self._page(context, fields, fault)

    async def _authenticate(
        self, request: web.Request, context: InteractionContext, fields: Parameters
    ) -> Authenticated | Throttled | SignUpFault:
        """Add a user if the fields are valid. One whom this form has added before shows their password."""
        new = read_new_user(fields, self.least_password)
        if not isinstance(new, NewUser):
            return new
        user_id = self._user_id(context, new.username)
        match await self._add(new, user_id, client_address(request)):
            case User() as user:
                proven = Proven.by_user(user, frozenset({Method.PASSWORD}), clock.now())
                return Authenticated(user, proven)
            case "taken" if (added := await self.users.find(user_id)) and added.username == new.username:
                shown = Parameters.of({"username": new.username, "password": new.password})
                return await self.by_password.authenticate(request, shown) or "taken"
            case refused:
                return refused

    def _user_id(self, context: InteractionContext, username: str) -> UUID:
        """The id of the user of that name whom this interaction may add: always the same."""
        parts = ("ostiary: new user, version 1", *context.binding, username)
        mac = hmac.digest(self.secret_key.encode(), "\0".join(parts).encode(), "sha256")
        return UUID(bytes=mac[:16], version=4)

    async def _add(self, new: NewUser, user_id: UUID, address: str) -> User | Throttled | SignUpFault:
        """Add a user. Raises Unavailable, TemporarilyUnavailable."""
        if wait := await self.throttle.admit(address_block(address)):
            count_event("sign_up", "throttled")
            logger.info("sign_up_throttled", address=address, seconds=wait.total_seconds())
            return Throttled(wait)
        try:
            password_hash = await self.passwords.hash(new.password)
        except PasswordQueueFull as fault:
            await self.throttle.take_back(address_block(address))
            raise TemporarilyUnavailable("too many users are signing in", detail=str(fault)) from None
        detail = {"by": "sign_up", "address": address}
        try:
            user = await add_user(
                self.users,
                new.username,
                new.claims,
                password_hash,
                user_id=user_id,
                detail=detail,
                is_distinct=True,
            )
        except Taken:
            count_event("sign_up", "taken")
            return "taken"
        count_event("sign_up")
        logger.info("signed_up", user_id=str(user.user_id), address=address)
        return user

    async def _is_open(self, request: web.Request, context: InteractionContext) -> bool:
        """Whether the interaction still needs a user, and accepts a new one."""
        match await self.dispatcher.next_step(request, context):
            case Create():
                return True
            case Login():
                return not context.validated.request.subs
        return False

    def _page(
        self,
        context: InteractionContext,
        fields: Parameters,
        fault: SignUpFault | None = None,
        retry_after: int | None = None,
    ) -> web.Response:
        token = form_token(context.browser, _purpose(context))
        view = SignUpView(
            context.form(SIGN_UP, token=token, denial="the user did not sign up"),
            context.at(LOGIN),
            self.least_password,
            fields.unique("username") or "",
            fields.unique("name") or "",
            fields.unique("email") or "",
            fault,
            retry_after,
        )
        return self.pages.sign_up(view, context.validated.locale)


def _purpose(context: InteractionContext) -> str:
    return f"sign up {context.handle}"
