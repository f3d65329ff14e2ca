"""Well-behaved clients of a deployment: they repeat requests after a 503 or a lost answer."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import ClientError, ClientSession, ClientTimeout

from shared.oauth.client.record import Client
from shared.paths import INTROSPECTION, REVOCATION, TOKEN
from tests.builders import REDIRECT_URI, VERIFIER
from tests.deployment import basic
from tests.fault.checker import END, INTROSPECT, REDEEM, REFRESH, USE
from tests.fault.history import Broken, Done, History, Lost, Outcome, Rejected, Retryable

PATIENCE = 5.0  # seconds that a client waits for an answer
PAUSE = 0.1  # seconds between two tries
HANG_GUARD = 90.0

Choose = Callable[[], ClientSession]


async def until_verdict(request: Callable[[], Awaitable[Outcome]], name: str) -> Outcome:
    """Repeat a request while its answer is a 503 or lost."""
    deadline = time.monotonic() + HANG_GUARD
    while isinstance(outcome := await request(), Retryable | Lost):
        assert time.monotonic() < deadline, f"{name} gets no verdict"
        await asyncio.sleep(PAUSE)
    return outcome


@dataclass(slots=True)
class Load:
    """A client's requests to the token service, each logged. *sessions* lead to its processes."""

    client: Client
    sessions: list[ClientSession]
    random: random.Random
    history: History = field(default_factory=History)

    def any_process(self) -> ClientSession:
        """Where a proxy sends the next request."""
        return self.random.choice(self.sessions)

    async def redeem(self, code: str) -> Outcome:
        """Redeem a code until there is a verdict; a success is introspected too, by `settle`."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": VERIFIER,
        }
        return await self.until_verdict(REDEEM, code, TOKEN.path, form)

    async def refresh(self, refresh_token: str) -> Outcome:
        """Refresh until there is a verdict."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return await self.until_verdict(REFRESH, refresh_token, TOKEN.path, form)

    async def revoke(self, token: str) -> Outcome:
        """Revoke a token until that is acknowledged."""
        return await self.until_verdict(END, token, REVOCATION.path, {"token": token})

    async def introspect(self, token: str, *, kind: str = INTROSPECT) -> Outcome:
        """Introspect a token. As a *use*, only an active token is a success."""
        return await self.until_verdict(kind, token, INTROSPECTION.path, {"token": token})

    async def until_verdict(
        self, kind: str, subject: str, path: str, form: Mapping[str, str], choose: Choose | None = None
    ) -> Outcome:
        """Repeat a request while its answer is a 503 or lost."""
        choose = choose or self.any_process
        return await until_verdict(
            lambda: self.once(kind, subject, path, form, choose()), f"{kind} {subject}"
        )

    async def once(
        self, kind: str, subject: str, path: str, form: Mapping[str, str], session: ClientSession
    ) -> Outcome:
        """One request, logged."""
        return await self.history.log(kind, subject, self._outcome(kind, path, form, session))

    async def _outcome(
        self, kind: str, path: str, form: Mapping[str, str], session: ClientSession
    ) -> Outcome:
        outcome = await self._post(path, form, session)
        if kind == USE and isinstance(outcome, Done) and not outcome.body["active"]:
            return Rejected("inactive")
        return outcome

    async def _post(self, path: str, form: Mapping[str, str], session: ClientSession) -> Outcome:
        headers = basic(self.client.client_id)
        try:
            timeout = ClientTimeout(PATIENCE)
            async with session.post(path, data=form, headers=headers, timeout=timeout) as response:
                body = await response.json() if response.content_type == "application/json" else {}
        except (ClientError, OSError, TimeoutError):
            return Lost()
        match response.status:
            case 200:
                return Done(body)
            case 503 if "Retry-After" in response.headers:
                return Retryable()
            case status if 400 <= status < 500:
                return Rejected(body["error"])
            case status:
                return Broken(status)
