"""Users with browsers at the authorization processes, whose logouts and later uses are logged."""

from collections.abc import Awaitable
from dataclasses import dataclass

from aiohttp import ClientError

from shared.live.randomness import new_id
from shared.model import User
from shared.oauth.client.record import Client
from shared.paths import AUTHORIZATION, END_SESSION
from tests.authorization import PASSWORD_HASH, Browser, Page, a_request
from tests.builders import World
from tests.fault.checker import END, USE
from tests.fault.history import Broken, Done, History, Lost, Outcome, Rejected, Retryable
from tests.fault.load import Load, until_verdict
from tests.fault.topology import RunningTopology

GONE = "https://rp1.test/signed-out"


@dataclass(slots=True)
class Person:
    """A user who has signed in to a client. *copy*: a browser with the same cookies, which it keeps."""

    user: User
    client: Client
    browser: Browser
    copy: Browser
    access_token: str
    id_token: str
    history: History

    async def log_out(self) -> Page:
        """Ask once to be signed out, as the client does."""
        parameters = {"id_token_hint": self.id_token, "post_logout_redirect_uri": GONE}
        return await self.browser.request("GET", END_SESSION.path, params=parameters)

    async def log_out_for_sure(self) -> Outcome:
        """Repeat it until it is acknowledged."""
        return await until_verdict(self._logged_logout, f"logout of {self.user.username}")

    async def _logged_logout(self) -> Outcome:
        return await self.history.log(END, self.user.username, outcome_of(self.log_out()))

    async def use_copy(self) -> Outcome:
        """Ask for a code with the copied cookies."""
        return await until_verdict(self._logged_use, f"use of {self.user.username}")

    async def _logged_use(self) -> Outcome:
        asking = self.copy.request("GET", AUTHORIZATION.path, params=a_request(self.client, prompt="none"))
        return await self.history.log(USE, self.user.username, outcome_of(asking))


async def outcome_of(request: Awaitable[Page]) -> Outcome:
    """What a page means. A redirect to the client is a success, unless it carries an error."""
    try:
        page = await request
    except (ClientError, OSError, TimeoutError):
        return Lost()
    match page.status:
        case 303 if page.is_at_client and "error" in page.answer:
            return Rejected(page.answer["error"])
        case 303 if page.is_at_client:
            return Done(page.answer)
        case 503 if "Retry-After" in page.headers:
            return Retryable()
        case status if 400 <= status < 500:
            return Rejected(str(status))
        case status:
            return Broken(status)


async def new_user(world: World, password_hash: str = PASSWORD_HASH) -> User:
    """A user with a password."""
    user_id = new_id()
    user = User(
        user_id=user_id, username=f"ada-{user_id.hex}", claims={"email": f"{user_id.hex}@example.org"}
    )
    await world.stores.users.add(user, password_hash)
    return user


async def signed_in(deployment: RunningTopology, load: Load) -> Person:
    """A new user who signs in to the load's client, which gets tokens."""
    user, browser, copy = await new_user(deployment.world), deployment.browser(), deployment.browser()
    page = await browser.sign_in(load.client, user)
    assert page.is_at_client, (page.status, page.text)
    cookies = "; ".join(f"{cookie.key}={cookie.value}" for cookie in browser.http.cookie_jar)
    copy.headers = {**copy.headers, "Cookie": cookies}
    redeemed = await load.redeem(page.answer["code"])
    assert isinstance(redeemed, Done)
    return Person(
        user,
        load.client,
        browser,
        copy,
        redeemed.body["access_token"],
        redeemed.body["id_token"],
        load.history,
    )
