"""Shared resources: each is opened once in a process, however many services run in it."""

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from functools import partial

from aiohttp import web

from shared.fetch import Fetcher, open_fetcher
from shared.identity.passwords import Passwords
from shared.issuing.client_authentication import (
    RATE,
    ClientAuthentication,
    ClientSource,
    assertion_audiences,
)
from shared.live.client_cache import ClientCache
from shared.live.client_keys import ClientKeys
from shared.live.clock_skew import EVERY as CLOCK_EVERY
from shared.live.clock_skew import ClockSkew
from shared.live.issuer import EVERY as ISSUER_EVERY
from shared.live.issuer import IssuerCheck
from shared.live.keyring import KeyRing
from shared.live.rate_limiter import RateLimiter
from shared.live.resource_cache import ResourceCache
from shared.live.watch import POLL_INTERVAL, Watch
from shared.paths import Path
from shared.server.app import BACKGROUND, READINESS, SETTINGS
from shared.server.computed_metrics import show_cache, show_pool
from shared.server.metric_table import CLOCK_SKEW_SECONDS
from shared.server.metrics import set_gauge
from shared.store import Unavailable
from shared.store.open import Stores, open_stores

STORES = web.AppKey("STORES", Stores)
WATCH = web.AppKey("WATCH", Watch)
CLIENTS = web.AppKey("CLIENTS", ClientCache)
PROTECTED_RESOURCES = web.AppKey("PROTECTED_RESOURCES", ResourceCache)
KEYRING = web.AppKey("KEYRING", KeyRing)
FETCHER = web.AppKey("FETCHER", Fetcher)
CLIENT_KEYS = web.AppKey("CLIENT_KEYS", ClientKeys)
PASSWORDS = web.AppKey("PASSWORDS", Passwords)

FAILED_AUTHENTICATIONS = web.AppKey("FAILED_AUTHENTICATIONS", RateLimiter)

Resource = Callable[[web.Application], AsyncIterator[None]]


async def stores(app: web.Application) -> AsyncIterator[None]:
    """STORES, WATCH, and what this process keeps in memory: CLIENTS, PROTECTED_RESOURCES, KEYRING."""
    settings = app[SETTINGS]
    async with open_stores(settings) as opened:
        app[STORES] = opened
        app[WATCH] = watch = Watch(opened.changes)
        app[CLIENTS] = ClientCache(opened.clients, watch)
        app[PROTECTED_RESOURCES] = ResourceCache(opened.protected_resources, watch, settings.issuer)
        keyring = KeyRing(opened.keys, watch, settings.secret_keys, settings.signing_algorithms)
        app[KEYRING] = keyring
        app[READINESS].add("keys", keyring.fault)
        for name, check in opened.database_checks.items():
            app[READINESS].add(name, check)
        show_pool(opened.database_pool)
        show_cache(app[CLIENTS].lookups)
        clock_skew = ClockSkew(opened.probe.database_time, partial(set_gauge, CLOCK_SKEW_SECONDS))
        app[READINESS].add("clock", clock_skew.fault)
        issuer = IssuerCheck(opened.deployment, settings.issuer)
        app[READINESS].add("issuer", issuer.fault)
        for work in (watch.poll, clock_skew.measure, issuer.check):
            with suppress(Exception):  # the loop repeats this and reports the fault
                await work()
        async with (
            app[BACKGROUND].repeating("watch", watch.poll, POLL_INTERVAL),
            app[BACKGROUND].repeating("clock", clock_skew.measure, CLOCK_EVERY),
            app[BACKGROUND].repeating("issuer", issuer.check, ISSUER_EVERY),
        ):
            yield


async def failed_authentications(app: web.Application) -> AsyncIterator[None]:
    """FAILED_AUTHENTICATIONS: limits guesses of clients' credentials. Needs `stores`."""
    shared_counts, is_on = app[STORES].shared_counts, app[SETTINGS].rate_limits
    app[FAILED_AUTHENTICATIONS] = limiter = RateLimiter(
        shared_counts, "failed_authentications", RATE, is_on=is_on
    )
    async with limiter.sharing(app[BACKGROUND]):
        yield


async def replay_marks(app: web.Application) -> AsyncIterator[None]:
    """Start the marks that reject a repeated client assertion. Needs `stores`."""
    with suppress(Unavailable):  # then the first assertion starts them
        await app[STORES].replay_marks.begin()
    yield


async def fetcher(app: web.Application) -> AsyncIterator[None]:
    """FETCHER: the guarded fetcher for URIs of clients."""
    settings = app[SETTINGS]
    async with open_fetcher(settings.fetch_allow, settings.fetch_ca_file) as opened:
        app[FETCHER] = opened
        yield


async def client_keys(app: web.Application) -> AsyncIterator[None]:
    """CLIENT_KEYS: the public keys of clients. Needs `fetcher`."""
    app[CLIENT_KEYS] = keys = ClientKeys(app[FETCHER].get_json)
    yield
    await keys.close()


async def passwords(app: web.Application) -> AsyncIterator[None]:
    """PASSWORDS: checks and hashes passwords in the few threads that a process has for them."""
    app[PASSWORDS] = hashing = Passwords()
    yield
    hashing.close()


def client_authentication(
    app: web.Application, clients: ClientSource, endpoint: Path
) -> ClientAuthentication:
    """Authenticates *clients* at *endpoint*.

    Needs `client_keys`, `failed_authentications` and `replay_marks`.
    """
    return ClientAuthentication(
        clients=clients,
        keys=app[CLIENT_KEYS],
        replay_marks=app[STORES].replay_marks,
        audiences=assertion_audiences(app[SETTINGS].issuer, endpoint),
        failures=app[FAILED_AUTHENTICATIONS],
    )


def need(app: web.Application, *resources: Resource) -> None:
    """Open the resources when the application starts, each once, in the order of first need."""
    for resource in resources:
        if resource not in app.cleanup_ctx:
            app.cleanup_ctx.append(resource)
