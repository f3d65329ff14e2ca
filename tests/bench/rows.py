"""The rows of the benchmark: operations, their budgets, and the scripts that run them.

A row's scripts are endless. Each step uses another user, session, token or code of the population.
"""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from urllib.parse import parse_qs, urlsplit

from shared.identity.totp import PERIOD, code_at
from shared.paths import (
    AUTHORIZATION,
    INTROSPECTION,
    JWKS,
    LOGIN,
    OPENID_CONFIGURATION,
    SECOND_FACTOR,
    TOKEN,
    USERINFO,
    Path,
    Service,
)
from tests.bench.deployment import HELLO_PATH
from tests.bench.population import (
    CODE_CHALLENGE,
    CODE_VERIFIER,
    PASSWORD,
    REDIRECT_URI,
    RESOURCE,
    SCOPE,
    BenchClient,
    HeldPasskey,
    HeldSecret,
    Population,
)
from tests.bench.wire import Script, WireRequest, WireResponse, WrongAnswer, basic, bearer, get, post

HELLO = "hello"
"""The name of the scripts that ask `hello.py`."""


@dataclass(frozen=True, slots=True)
class Row:
    """An operation. `target`: the maximum CPU time as a multiple of hello's, with maximum round trips."""

    name: str
    services: tuple[Service, ...]
    target: float
    redis_round_trips: int
    postgres_round_trips: int
    scripts: Callable[[Population], Iterator[Script]]


def _document(path: Path, population: Population) -> Iterator[Script]:
    request = get(population.host, path)

    def script() -> Script:
        yield request

    while True:
        yield script()


def _client_credentials(
    client: BenchClient, population: Population, resource: Mapping[str, str] | None = None
) -> Iterator[Script]:
    form = {"grant_type": "client_credentials", **(resource or {})}
    request = post(population.host, TOKEN, form, basic(client, population.client_secret))

    def script() -> Script:
        answer = yield request
        answer.member("access_token")

    while True:
        yield script()


def _introspection(population: Population) -> Iterator[Script]:
    headers = basic(BenchClient.ES256, population.client_secret)

    def script(token: str) -> Script:
        answer = yield post(population.host, INTROSPECTION, {"token": token}, headers)
        answer.member("sub")  # it is active

    return map(script, cycle(population.access_tokens))


def _userinfo(population: Population) -> Iterator[Script]:
    def script(token: str) -> Script:
        answer = yield get(population.host, USERINFO, headers=bearer(token))
        answer.member("email")

    return map(script, cycle(population.access_tokens))


def _at_resource(population: Population) -> Iterator[Script]:
    return _client_credentials(BenchClient.ES256, population, {"resource": RESOURCE})


def _refresh(client: BenchClient, population: Population) -> Iterator[Script]:
    current = deque(population.refresh_tokens[client])
    headers = basic(client, population.client_secret)

    def script(token: str) -> Script:
        form = {"grant_type": "refresh_token", "refresh_token": token}
        answer = yield post(population.host, TOKEN, form, headers)
        answer.member("id_token")
        current.append(answer.member("refresh_token"))

    while True:
        yield script(current.popleft())


def _authorize(
    client: BenchClient, cookie: str, population: Population
) -> Generator[WireRequest, WireResponse, str]:
    """Returns the code."""
    answer = yield get(
        population.host, AUTHORIZATION, parameters=_request(client), headers={"Cookie": cookie}, status=303
    )
    return _code(answer)


def _request(client: BenchClient) -> Mapping[str, str]:
    return {
        "response_type": "code",
        "client_id": client,
        "redirect_uri": REDIRECT_URI,
        "scope": " ".join(SCOPE),
        "state": "f6b1c3a9d2e84075",
        "nonce": "0a9b8c7d6e5f4a3b",
        "code_challenge": CODE_CHALLENGE,
        "code_challenge_method": "S256",
    }


def _code(answer: WireResponse) -> str:
    location = answer.header("Location")
    code = parse_qs(urlsplit(location).query).get("code")
    if code is None or not location.startswith(REDIRECT_URI):
        raise WrongAnswer(f"no code: {location}")
    return code[0]


def _redeem(client: BenchClient, code: str, population: Population) -> Script:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT_URI,
        "code_verifier": CODE_VERIFIER,
    }
    answer = yield post(population.host, TOKEN, form, basic(client, population.client_secret))
    answer.member("id_token")


def _authorization(population: Population) -> Iterator[Script]:
    def script(cookie: str) -> Script:
        yield from _authorize(BenchClient.ES256, cookie, population)

    return map(script, cycle(population.cookies))


def _code_flow(client: BenchClient, population: Population) -> Iterator[Script]:
    def script(cookie: str) -> Script:
        code = yield from _authorize(client, cookie, population)
        yield from _redeem(client, code, population)

    return map(script, cycle(population.cookies))


Exchange = Generator[WireRequest, WireResponse, WireResponse]
"""A part of a script that comes to an answer."""


@dataclass(slots=True)
class _NewBrowser:
    """A browser that has never been here. Its methods are parts of scripts."""

    client: BenchClient
    population: Population
    cookies: dict[str, str] = field(default_factory=dict)

    def begin(self) -> Exchange:
        """From the client's request to the login page."""
        host = self.population.host
        asked = yield get(host, AUTHORIZATION, parameters=_request(self.client), status=303)
        self.cookies |= asked.cookies
        return (yield from self.open(asked))

    def open(self, answer: WireResponse, status: int = 200) -> Exchange:
        """The page that a redirect leads to, or the next redirect."""
        page = yield get(self.population.host, _next(answer), headers=_jar(self.cookies), status=status)
        self.cookies |= page.cookies
        return page

    def send(self, path: Path, page: WireResponse, fields: Mapping[str, str]) -> Exchange:
        """The redirect that the form of a page leads to."""
        form = {**page.hidden, **fields}
        sent = yield post(self.population.host, path, form, _jar(self.cookies), status=303)
        self.cookies |= sent.cookies
        return sent

    def finish(self, signed_in: WireResponse) -> Script:
        """The response to the client, and the tokens."""
        answer = yield from self.open(signed_in, status=303)
        yield from _redeem(self.client, _code(answer), self.population)


def _sign_in(client: BenchClient, population: Population) -> Iterator[Script]:
    """A new browser: the login page, its form with a password, and the code."""

    def script(username: str) -> Script:
        browser = _NewBrowser(client, population)
        page = yield from browser.begin()
        fields = {"username": username, "password": PASSWORD}
        yield from browser.finish((yield from browser.send(LOGIN, page, fields)))

    return map(script, cycle(population.usernames))


def _sign_in_by_passkey(client: BenchClient, population: Population) -> Iterator[Script]:
    """The same with a passkey, which the load generator has the private key of."""

    def script(passkey: HeldPasskey) -> Script:
        browser = _NewBrowser(client, population)
        page = yield from browser.begin()
        fields = {"passkey": passkey.signed(page.challenge, f"http://{population.host}")}
        yield from browser.finish((yield from browser.send(LOGIN, page, fields)))

    return map(script, cycle(population.passkeys))


def _sign_in_by_app(client: BenchClient, population: Population) -> Iterator[Script]:
    """The same with a password, and then with a code of an authenticator app, of which each works once."""
    used: dict[str, int] = {}

    def script(held: HeldSecret) -> Script:
        browser = _NewBrowser(client, population)
        page = yield from browser.begin()
        fields = {"username": held.username, "password": PASSWORD}
        redirected = yield from browser.open((yield from browser.send(LOGIN, page, fields)), status=303)
        page = yield from browser.open(redirected)
        step = used[held.username] = max(int(time.time()) // PERIOD, used.get(held.username, 0) + 1)
        fields = {"code": code_at(held.secret, step)}
        yield from browser.finish((yield from browser.send(SECOND_FACTOR, page, fields)))

    return map(script, cycle(population.secrets))


def _next(answer: WireResponse) -> Path:
    return Path(answer.header("Location"), Service.AUTHORIZATION)


def _jar(cookies: Mapping[str, str]) -> Mapping[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}


_DISCOVERY = (Service.DISCOVERY,)
_TOKEN = (Service.TOKEN,)
_AUTHORIZATION = (Service.AUTHORIZATION,)
_BOTH = (Service.AUTHORIZATION, Service.TOKEN)

ROWS = (
    Row("discovery", _DISCOVERY, 1.4, 0, 0, partial(_document, OPENID_CONFIGURATION)),
    Row("jwks", _DISCOVERY, 1.4, 0, 0, partial(_document, JWKS)),
    Row("client_credentials opaque", _TOKEN, 3.5, 0, 0, partial(_client_credentials, BenchClient.ES256)),
    Row("client_credentials ES256", _TOKEN, 5, 0, 0, partial(_client_credentials, BenchClient.JWT)),
    Row("client_credentials resource", _TOKEN, 3.5, 0, 0, _at_resource),
    Row("introspection", _TOKEN, 5, 0, 1, _introspection),
    Row("userinfo", _TOKEN, 5, 0, 1, _userinfo),
    Row("refresh ES256", _TOKEN, 9, 0, 1, partial(_refresh, BenchClient.ES256)),
    Row("refresh RS256", _TOKEN, 17, 0, 1, partial(_refresh, BenchClient.RS256)),
    Row("authorization", _AUTHORIZATION, 8, 2, 1, _authorization),
    Row("code flow ES256", _BOTH, 20, 3, 2, partial(_code_flow, BenchClient.ES256)),
    Row("code flow RS256", _BOTH, 28, 3, 2, partial(_code_flow, BenchClient.RS256)),
    Row("sign-in ES256", _BOTH, 1200, 10, 6, partial(_sign_in, BenchClient.ES256)),
    Row("sign-in passkey", _BOTH, 120, 11, 5, partial(_sign_in_by_passkey, BenchClient.ES256)),
    Row("sign-in TOTP", _BOTH, 1300, 14, 9, partial(_sign_in_by_app, BenchClient.ES256)),
)
"""Targets and budgets of the design; a code flow is two requests. A JWT access token is signed with RS256
only where a deployment has no key for ES256, so there is no row for it. The targets of
sign-ins with a passkey and with a code are what they cost when they were first measured, and a tenth.

One RSA signature of 2048 bits is 4.8 × hello (270 µs to 56 µs, OpenSSL on an Intel Xeon), ES256 0.4 ×: a
refresh or a code flow with RS256 can never cost less than that, and its target has room for it."""


def scripts(population: Population) -> dict[str, Iterator[Script]]:
    """The scripts of every row, by its name."""
    hello = _document(HELLO_PATH, population)
    return {HELLO: hello, **{row.name: row.scripts(population) for row in ROWS}}
