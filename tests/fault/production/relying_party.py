"""A relying party with one user, which runs full flows in a closed loop and logs every operation."""

import asyncio
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from aiohttp import ClientError, ClientSession

from shared.model import User
from shared.paths import END_SESSION, JWKS
from tests.authorization import Browser
from tests.deployment import unverified
from tests.fault.checker import AUTHORIZE, LOGOUT, USE
from tests.fault.history import Broken, Done, Lost, Outcome, Retryable
from tests.fault.load import Load, until_verdict
from tests.fault.person import GONE, new_user, outcome_of
from tests.fault.production.deployment import Deployment

SCOPE = "openid email offline_access"
FOREIGN = Broken(200)  # a success that belongs to somebody else, or that no key of ours has signed


@dataclass(slots=True)
class RelyingParty:
    """A client that skips consent, and a user with a browser."""

    load: Load
    user: User
    browser: Browser
    stateless: ClientSession  # keeps no cookies

    async def run(self, is_over: asyncio.Event) -> None:
        """Flow after flow."""
        while not is_over.is_set():
            await self.flow()

    async def flow(self) -> None:
        """Sign in, redeem, refresh, look at the tokens, and end the one or the other."""
        chance = self.load.random
        authorized = await until_verdict(self._authorize, "authorization")
        if not isinstance(authorized, Done):
            return
        redeemed = await self.load.redeem(authorized.body["code"])
        if not isinstance(redeemed, Done):
            return
        await self.load.history.log(
            "signature", self.user.username, self._verified(redeemed.body["id_token"])
        )
        tokens = await self._refreshed(redeemed.body["refresh_token"])
        if tokens is None:
            return
        await self._introspect(tokens["access_token"])
        if chance.random() < 0.3:
            await self.load.revoke(tokens["refresh_token"])
            await self.load.introspect(tokens["refresh_token"], kind=USE)
        if chance.random() < 0.2:
            await self._log_out(redeemed.body["id_token"])

    async def _authorize(self) -> Outcome:
        """From the request to a code, by way of the login page unless the browser has a session."""
        signing_in = self.browser.sign_in(self.load.client, self.user, scope=SCOPE)
        return await self.load.history.log(AUTHORIZE, self.user.username, outcome_of(signing_in))

    async def _refreshed(self, refresh_token: str) -> Mapping[str, Any] | None:
        """Refresh, at times twice, as after a lost answer."""
        outcome = await self.load.refresh(refresh_token)
        if self.load.random.random() < 0.3:
            outcome = await self.load.refresh(refresh_token)
        return outcome.body if isinstance(outcome, Done) else None

    async def _introspect(self, access_token: str) -> None:
        outcome = await self.load.introspect(access_token)
        if isinstance(outcome, Done) and outcome.body.get("client_id") != self.load.client.client_id:
            await self.load.history.log("owner", access_token, _foreign())

    async def _log_out(self, id_token: str) -> None:
        parameters = {"id_token_hint": id_token, "post_logout_redirect_uri": GONE}
        session = unverified(id_token)["sid"]

        async def end() -> Outcome:
            ending = self.browser.request("GET", END_SESSION.path, params=parameters)
            return await self.load.history.log(LOGOUT, session, outcome_of(ending))

        cookies = "; ".join(f"{cookie.key}={cookie.value}" for cookie in self.browser.http.cookie_jar)
        await until_verdict(end, "logout")
        copy = Browser(self.stateless, {**self.browser.headers, "Cookie": cookies})

        async def use() -> Outcome:
            asking = copy.authorize(self.load.client, prompt="none", scope=SCOPE)
            return await self.load.history.log(USE, session, outcome_of(asking))

        await until_verdict(use, "use of a session")

    async def _verified(self, id_token: str) -> Outcome:
        """Whether a key of the JWK Set has signed an ID token for this client and user."""
        try:
            async with self.browser.http.get(JWKS.path) as response:
                if response.status != 200:
                    return Retryable() if response.status == 503 else Broken(response.status)
                keys = jwt.PyJWKSet.from_dict(json.loads(await response.text()))
            key = keys[jwt.get_unverified_header(id_token)["kid"]]
            claims = jwt.decode(id_token, key, audience=self.load.client.client_id)
        except (ClientError, OSError, TimeoutError):
            return Lost()
        except (KeyError, jwt.PyJWTError):
            return FOREIGN
        return Done(claims) if claims["sub"] == str(self.user.user_id) else FOREIGN


async def _foreign() -> Outcome:
    return FOREIGN


async def relying_party(deployment: Deployment, seed: int) -> RelyingParty:
    """A new client and a new user, who has not signed in."""
    client = await deployment.world.client(
        skip_consent=True,
        post_logout_redirect_uris=(GONE,),
        backchannel_logout_uri=deployment.outside.logout_uri,
    )
    stateless = await deployment.session(has_jar=False)
    load = Load(client, [stateless], random.Random(seed))
    return RelyingParty(load, await new_user(deployment.world), await deployment.browser(), stateless)
