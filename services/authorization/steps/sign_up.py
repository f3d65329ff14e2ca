"""The sign-up step: a user who is new, and a session that begins. Where OSTIARY_SIGN_UP is `open`."""

import math
from dataclasses import dataclass

import structlog
from aiohttp import web

from services.authorization.authentication.new_user import NewUser, read_new_user
from services.authorization.authentication.throttling import SignUpThrottle
from services.authorization.interaction.asked import Waiting
from services.authorization.interaction.context import Desk
from services.authorization.interaction.next_step import Create, Login
from services.authorization.response.callback import see_other
from services.authorization.steps.login import TOO_MANY, WRONG, SignIn, WaitLonger
from shared.browser.errors import StaleForm
from shared.browser.form_token import FORM_TOKEN, form_token, is_form_token
from shared.browser.pages import ClientView, SignUpFault, SignUpView
from shared.browser.same_origin import check_same_origin
from shared.identity.passwords import PasswordQueueFull, Passwords
from shared.model import User
from shared.oauth.errors import AccessDenied, TemporarilyUnavailable
from shared.oauth.parameters import Parameters
from shared.operations.users import MIN_PASSWORD, add_user
from shared.paths import AUTHORIZATION, LOGIN, SIGN_UP
from shared.server.metrics import count_event
from shared.store import Taken, Users
from shared.web.form import form, query
from shared.web.forwarded import client_address

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SignUp:
    """The sign-up step's collaborators."""

    desk: Desk
    sign_in: SignIn
    users: Users
    passwords: Passwords
    throttle: SignUpThrottle

    async def get(self, request: web.Request) -> web.Response:
        """The form; whoever need not sign in any more goes on."""
        waiting = await self.desk.open(request, query(request))
        if not await self._is_open(request, waiting):
            return see_other(waiting.at(AUTHORIZATION))
        hint = waiting.asked.request.login_hint or ""
        return self._page(waiting, Parameters({"email" if "@" in hint else "username": hint}))

    async def post(self, request: web.Request) -> web.Response:
        """Add the user and begin their session. A form sent again adds nobody: its user is there by then."""
        check_same_origin(request, self.desk.settings.origin)
        fields = await form(request)
        waiting = await self.desk.open(request, fields)
        if not await self._is_open(request, waiting):
            return see_other(waiting.at(AUTHORIZATION))
        if not is_form_token(fields[FORM_TOKEN], waiting.browser, _purpose(waiting)):
            raise StaleForm("the form was made for another browser", again=waiting.at(AUTHORIZATION))
        match await self.add(fields, client_address(request)):
            case User() as user:
                return await self.sign_in.enter(request, waiting, user)
            case WaitLonger(wait):
                return self._page(waiting, fields, "throttled", math.ceil(wait.total_seconds()))
            case fault:
                return self._page(waiting, fields, fault)

    async def add(self, fields: Parameters, address: str) -> User | WaitLonger | SignUpFault:
        """The user, if they may be and the name is free. Raises TemporarilyUnavailable, Unavailable."""
        new = read_new_user(fields)
        if not isinstance(new, NewUser):
            return new
        if wait := await self.throttle.admit(address):
            count_event("sign_up", "throttled")
            logger.info("sign_up_throttled", address=address, seconds=wait.total_seconds())
            return WaitLonger(wait)
        try:
            password_hash = await self.passwords.hash(new.password)
        except PasswordQueueFull as fault:
            await self.throttle.take_back(address)
            raise TemporarilyUnavailable("too many people sign in just now", detail=str(fault)) from None
        detail = {"by": "sign_up", "address": address}
        try:
            user = await add_user(
                self.users, new.username, new.claims, password_hash, detail=detail, is_distinct=True
            )
        except Taken:
            count_event("sign_up", "taken")
            return "taken"
        count_event("sign_up")
        logger.info("signed_up", user_id=str(user.user_id), address=address)
        return user

    async def _is_open(self, request: web.Request, waiting: Waiting) -> bool:
        """Whether somebody is still to be asked who they are, and anybody may answer."""
        match await self.desk.step(request, waiting):
            case Create():
                return True
            case Login():
                return not waiting.asked.request.subs
        return False

    def _page(
        self,
        waiting: Waiting,
        fields: Parameters,
        fault: SignUpFault | None = None,
        retry_after: int | None = None,
    ) -> web.Response:
        asked = waiting.asked
        view = SignUpView(
            ClientView.of(asked.client),
            SIGN_UP.path,
            waiting.at(LOGIN),
            MIN_PASSWORD,
            fields["username"] or "",
            fields["name"] or "",
            fields["email"] or "",
            fault,
            retry_after,
            asked.callback.link(AccessDenied("the user did not sign up").parameters()),
            {**waiting.fields, FORM_TOKEN: form_token(waiting.browser, _purpose(waiting))},
            (asked.callback.redirect_uri,),
        )
        return self.desk.pages.sign_up(view, asked.locale, _status(fault))


def _status(fault: SignUpFault | None) -> int:
    match fault:
        case None:
            return 200
        case "throttled":
            return TOO_MANY
    return WRONG


def _purpose(waiting: Waiting) -> str:
    return f"sign up {waiting.handle}"
