"""The rows of the benchmark: operations, their budgets, and the scripts that run them.

A row's scripts are endless. Each step uses another user, session, token or code of the population.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from urllib.parse import parse_qs, urlsplit

from shared.paths import (
    AUTHORIZATION,
    INTROSPECTION,
    JWKS,
    LOGIN,
    OPENID_CONFIGURATION,
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


def _sign_in(client: BenchClient, population: Population) -> Iterator[Script]:
    """A new browser: the login page, its form with a password, and the code."""

    def script(username: str) -> Script:
        asked = yield get(population.host, AUTHORIZATION, parameters=_request(client), status=303)
        cookies = dict(asked.cookies)
        page = yield get(population.host, _next(asked), headers=_jar(cookies))
        cookies |= page.cookies
        form = {**page.hidden, "username": username, "password": PASSWORD}
        signed_in = yield post(population.host, LOGIN, form, _jar(cookies), status=303)
        cookies |= signed_in.cookies
        answer = yield get(population.host, _next(signed_in), headers=_jar(cookies), status=303)
        yield from _redeem(client, _code(answer), population)

    return map(script, cycle(population.usernames))


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
)
"""Targets and budgets of the design; a code flow is two requests. A JWT access token is signed with RS256
only where a deployment has no key for ES256, so there is no row for it."""


def scripts(population: Population) -> dict[str, Iterator[Script]]:
    """The scripts of every row, by its name."""
    hello = _document(HELLO_PATH, population)
    return {HELLO: hello, **{row.name: row.scripts(population) for row in ROWS}}
