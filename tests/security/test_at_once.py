"""The same step many times concurrently, over two processes, succeeds once or never."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient

from services.client_registry.app import mount as client_registry
from shared.paths import LOGOUT
from shared.server.app import application
from tests.authorization import (
    AuthorizationService,
    Browser,
    Page,
    is_consent,
    serve_authorization,
)
from tests.deployment import TokenService, serve_tokens
from tests.front_channel import Services
from tests.registry import URI, Registry
from tests.served import Served

MANY = 20


@dataclass(frozen=True, slots=True)
class Twice:
    """Two processes of each service, over the same stores."""

    provider: Services
    ops: Sequence[AuthorizationService]
    tokens: Sequence[TokenService]

    def browsers(self, browser: Browser) -> list[Browser]:
        """*browser* with either process in turn."""
        copies = []
        for number in range(MANY):
            op = self.ops[number % 2]
            copy = op.browser()
            for cookie in browser.http.cookie_jar:
                copy.http.cookie_jar.update_cookies({cookie.key: cookie.value}, op.server.make_url("/"))
            copies.append(copy)
        return copies


@pytest_asyncio.fixture(scope="module")
async def twice(provider: Services) -> AsyncIterator[Twice]:
    """The provider, and a second process of each service."""
    async with (
        serve_authorization(provider.op.settings, provider.world) as op,
        serve_tokens(provider.op.settings, provider.world) as tokens,
    ):
        yield Twice(provider, (provider.op, op), (provider.tokens, tokens))


def codes(pages: Sequence[Page]) -> list[str]:
    """The codes that were sent to the client."""
    return [page.answer["code"] for page in pages if page.is_at_client and "code" in page.answer]


async def test_a_consent_gives_one_code(twice: Twice) -> None:
    """A decision counts once, however often and wherever it is sent, and never causes a server error."""
    client, browser = await twice.provider.client(), twice.provider.op.browser()
    consent = await browser.log_in(await browser.authorize(client), await twice.provider.op.user())
    assert is_consent(consent)
    pages = await asyncio.gather(*(each.decide(consent) for each in twice.browsers(browser)))
    assert len(codes(pages)) == 1
    assert {page.status for page in pages} <= {303, 400, 410}


async def test_allowing_and_denying_at_once_is_one_of_them(twice: Twice) -> None:
    """A code or a refusal, and not both."""
    client, browser = await twice.provider.client(), twice.provider.op.browser()
    consent = await browser.log_in(await browser.authorize(client), await twice.provider.op.user())
    deciding = [
        each.decide(consent, "allow" if number % 3 else "deny")
        for number, each in enumerate(twice.browsers(browser))
    ]
    answers = [page for page in await asyncio.gather(*deciding) if page.is_at_client]
    assert len(answers) == 1


async def test_after_a_logout_nothing_that_was_begun_before_is_finished(twice: Twice) -> None:
    """Codes issued during a logout are invalid, and no process accepts the cookie."""
    client, browser = await twice.provider.client(), twice.provider.op.browser()
    await browser.sign_in(client, await twice.provider.op.user())
    question, others = await browser.get(LOGOUT.path), twice.browsers(browser)
    begun = [each.authorize(client, prompt="none") for each in others]
    *pages, _ = await asyncio.gather(*begun, browser.post(LOGOUT.path, question.hidden))
    for number, code in enumerate(codes(pages)):
        response = await twice.tokens[number % 2].redeem(client, code)
        assert (response.status, (await response.json())["error"]) == (400, "invalid_grant")
    for each in others:
        assert (await each.authorize(client, prompt="none")).answer["error"] == "login_required"


@pytest.mark.parametrize("end", ["consent revoked", "signed out everywhere", "user disabled"])
async def test_what_ends_while_it_is_refreshed_and_redeemed_has_ended(twice: Twice, end: str) -> None:
    """Each request gets tokens or invalid_grant, and afterwards none of those tokens is valid."""
    world, client = twice.provider.world, await twice.provider.client()
    sign_in = await world.sign_in()
    first = await twice.provider.tokens.tokens(client, sign_in.code(client.client_id))
    values = [await world.add_code(sign_in.code(client.client_id)) for _ in range(MANY)]

    async def finish() -> None:
        match end:
            case "consent revoked":
                await world.stores.consents.revoke(sign_in.user.user_id, client.client_id)
            case "signed out everywhere":
                await world.stores.users.end_all(sign_in.user.user_id)
            case "user disabled":
                await world.stores.users.disable(sign_in.user.user_id)

    redeeming = [twice.tokens[n % 2].redeem(client, value) for n, value in enumerate(values)]
    refreshing = [twice.tokens[n % 2].refresh(client, first["refresh_token"]) for n in range(MANY)]
    ending = asyncio.create_task(finish())
    responses = await asyncio.gather(*redeeming, *refreshing)
    await ending
    answers = [await response.json() for response in responses]
    assert {answer.get("error") for answer in answers} <= {None, "invalid_grant"}
    for answer in (first, *(answer for answer in answers if "access_token" in answer)):
        for tokens in twice.tokens:
            assert await tokens.introspect(client, answer["access_token"]) == {"active": False}
        if "refresh_token" in answer:
            assert (await twice.tokens[0].refresh(client, answer["refresh_token"])).status == 400


async def test_an_initial_access_token_counts_exactly_in_two_processes(twice: Twice) -> None:
    """A token with three uses registers three clients over both processes."""
    settings = twice.provider.op.settings
    apps = [application(settings, client_registry) for _ in range(2)]
    async with TestClient(Served(apps[0])) as one, TestClient(Served(apps[1])) as two:
        registries = [Registry(http, twice.provider.world) for http in (one, two)]
        token = await registries[0].token(3)
        answers = await asyncio.gather(*(registries[n % 2].post(URI, token) for n in range(MANY)))
    assert sorted(answer.status for answer in answers) == [201] * 3 + [401] * (MANY - 3)
