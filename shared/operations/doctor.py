"""Checks a deployment. Each check answers one question, and says what to do if something is wrong."""

import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import aiohttp

from shared.codec.json_text import BadJson, parse_object
from shared.codec.wrapping import CannotUnwrap
from shared.config.settings import Settings
from shared.live import clock
from shared.live.keyring import open_keys
from shared.oauth.client.responses import unsigned_responses
from shared.oauth.tokens.keys import NoKey
from shared.operations.clients import every_client
from shared.operations.examination.findings import Finding, bad, good, insecure_findings, signing_finding
from shared.operations.outbox import MOST_SHOWN
from shared.paths import (
    ADMINISTRATION_METADATA,
    OAUTH_AUTHORIZATION_SERVER,
    OPENID_CONFIGURATION,
    OPENID_CONFIGURATION_INSERTED,
    OUT_OF_BAND,
    OUT_OF_BAND_ALIAS,
    PREFIX,
    USERINFO_METADATA,
    WEBFINGER,
)
from shared.store import LogoutNotice, StoredKey, Unavailable
from shared.store.migrate import MigrationError
from shared.store.open import Stores, open_stores
from shared.store.probe import Probe

TIMEOUT = aiohttp.ClientTimeout(total=10)
MAX_SKEW = timedelta(seconds=5)
MAX_OVERDUE = timedelta(minutes=10)
MAX_DOCUMENT = 256 * 1024
SEALING = "sealing"
WITHOUT_ROOT_PATHS = (
    f"OSTIARY_ROOT_ALIASES is off: {OUT_OF_BAND_ALIAS}, {WEBFINGER} and metadata at"
    f" {OAUTH_AUTHORIZATION_SERVER}, {OPENID_CONFIGURATION_INSERTED}, {USERINFO_METADATA} and"
    f" {ADMINISTRATION_METADATA} are not served. Give clients that look there the metadata's URL, and those"
    f" that use the first {OUT_OF_BAND}"
)


async def examine(settings: Settings, ca_file: Path | None = None) -> list[Finding]:
    """Run every check, ordered so that an earlier fault explains later ones. Raises MissingStore."""
    async with open_stores(settings) as stores:
        findings = [await _database(stores.probe), await _redis(stores.probe)]
        findings.append(await _migrations(stores.probe))
        if findings[-1].is_good:
            findings += [
                await _keys(settings, stores),
                *await _clients(settings, stores),
                await _outbox(stores),
            ]
    return [*findings, *[finding async for finding in _public(settings, ca_file)]]


async def _database(probe: Probe) -> Finding:
    before = clock.now()
    try:
        server_time = await probe.database_time()
        if faults := await probe.server_faults():
            return bad("PostgreSQL", "; ".join(faults))
        return _clock("PostgreSQL", server_time, before)
    except Unavailable as fault:
        return bad("PostgreSQL", f"does not answer ({fault}): see OSTIARY_DATABASE_URL")


async def _redis(probe: Probe) -> Finding:
    try:
        await probe.ping_redis()
    except Unavailable as fault:
        return bad("Redis", f"does not answer ({fault}): see OSTIARY_REDIS_URL")
    return good("Redis", "answers")


def _clock(subject: str, server_time: datetime, before: datetime) -> Finding:
    """*server_time* was read between *before* and now."""
    late, early = before - server_time, server_time - clock.now()
    if max(late, early) > MAX_SKEW:
        seconds = int(max(late, early).total_seconds())
        return bad(
            subject,
            f"its clock differs by {seconds} s from this machine's: use the same time server for both",
        )
    return good(subject, "answers, and its clock agrees with this machine's")


async def _migrations(probe: Probe) -> Finding:
    try:
        missing = await probe.missing_migrations()
    except Unavailable as fault:
        return bad("Migrations", f"cannot be read ({fault}): see OSTIARY_DATABASE_DIRECT_URL")
    except MigrationError as fault:
        return bad("Migrations", f"{fault}: the database belongs to another version")
    if missing:
        return bad("Migrations", f"{', '.join(missing)} missing: run `ostiary migrate`")
    return good("Migrations", "all applied")


async def _keys(settings: Settings, stores: Stores) -> Finding:
    try:
        rows = await stores.keys.load()
    except Unavailable as fault:
        return bad("Keys", f"cannot be read ({fault})")
    return keys_finding(rows, settings, clock.now())


def keys_finding(rows: Sequence[StoredKey], settings: Settings, now: datetime) -> Finding:
    """Whether the secret decrypts every key, and each algorithm has an active and a next key."""
    try:
        keyring = open_keys(rows, [key.get_secret_value() for key in settings.secret_key])
    except CannotUnwrap as fault:
        return bad(
            "Keys", f"OSTIARY_SECRET_KEY does not decrypt {fault}: also set the secret that encrypted it"
        )
    missing = []
    for alg in settings.signing_algorithms:
        try:
            keyring.signer(alg, now)
        except NoKey:
            missing.append(f"active {alg}")
        if not any(key.alg == alg and key.activates_at is None and not key.is_compromised for key in rows):
            missing.append(f"next {alg}")
    try:
        keyring.sealer(now)
    except NoKey:
        missing.append(SEALING)
    if missing:
        return bad("Keys", f"no {', no '.join(missing)} key: a token service creates them when it starts")
    return good("Keys", "each algorithm has an active and a next key, and the secret decrypts them")


async def _clients(settings: Settings, stores: Stores) -> list[Finding]:
    """Whether the deployment signs each response by the algorithm that its client registered, and which
    clients may redirect over http.
    """
    unsigned: dict[str, str] = {}
    insecure: list[str] = []
    try:
        async for client in every_client(stores.clients):
            if algorithms := dict(unsigned_responses(client, settings.signing_algorithms)).values():
                unsigned[client.client_id] = ", ".join(sorted(set(algorithms)))
            if client.allow_insecure_redirects:
                insecure.append(client.client_id)
    except Unavailable as fault:
        return [bad("Clients", f"cannot be read ({fault})")]
    return [signing_finding(unsigned), *insecure_findings(insecure)]


async def _outbox(stores: Stores) -> Finding:
    try:
        notices = await stores.outbox.list(MOST_SHOWN)
    except Unavailable as fault:
        return bad("Logout notices", f"cannot be read ({fault})")
    return outbox_finding(notices, clock.now())


def outbox_finding(notices: Sequence[LogoutNotice], now: datetime) -> Finding:
    """Whether every client has accepted its logout notices, or is about to get them."""
    given_up = sorted({notice.client_id for notice in notices if notice.given_up_at})
    if given_up:
        message = (
            f"{', '.join(given_up)} did not accept their notices:"
            " see `ostiary outbox list`, then `ostiary outbox retry`"
        )
        return bad("Logout notices", message)
    if any(now - notice.due_at > MAX_OVERDUE for notice in notices):
        return bad("Logout notices", "they are overdue: check that a token service or a worker is running")
    late = [notice for notice in notices if notice.tries]
    return good("Logout notices", f"{len(late)} will be retried" if late else "all delivered")


async def _whole(content: aiohttp.StreamReader) -> bytes:
    """The body, which may arrive in pieces, up to the maximum length."""
    body = b""
    while len(body) < MAX_DOCUMENT and (piece := await content.read(MAX_DOCUMENT)):
        body += piece
    return body


@dataclass(frozen=True, slots=True)
class Fetched:
    """The response of a URL."""

    url: str
    status: int
    content_type: str
    body: bytes
    date: str = ""


async def _fetch(url: str, trust: ssl.SSLContext) -> Fetched:
    """Raises ClientError, OSError, TimeoutError."""
    async with (
        aiohttp.ClientSession(timeout=TIMEOUT, auto_decompress=True) as session,
        session.get(url, ssl=trust, allow_redirects=False) as response,
    ):
        body = await _whole(response.content)
        return Fetched(url, response.status, response.content_type, body, response.headers.get("Date", ""))


async def _public(settings: Settings, ca_file: Path | None) -> AsyncIterator[Finding]:
    if not settings.root_aliases:
        yield good("Root paths", WITHOUT_ROOT_PATHS)
    url = OPENID_CONFIGURATION.at(settings.issuer)
    trust = ssl.create_default_context()
    for file in filter(None, (ca_file, settings.fetch_ca_file)):
        trust.load_verify_locations(file)
    before = clock.now()
    try:
        fetched = await _fetch(url, trust)
        yield public_finding(settings.issuer, fetched)
        with suppress(ValueError):
            yield _clock("Proxy", parsedate_to_datetime(fetched.date), before - timedelta(seconds=1))
        if settings.root_aliases:
            alias = settings.origin + OAUTH_AUTHORIZATION_SERVER.path
            yield root_paths_finding(settings.issuer, await _fetch(alias, trust))
    except (aiohttp.ClientError, OSError, TimeoutError) as fault:
        yield bad("Public URL", f"{url} cannot be reached ({fault}): see OSTIARY_ISSUER and the proxy")


def root_paths_finding(issuer: str, fetched: Fetched) -> Finding:
    """Whether the proxy maps the paths outside the issuer's."""
    if public_finding(issuer, fetched).is_good:
        return good("Root paths", f"{fetched.url} answers with this issuer")
    return bad(
        "Root paths",
        f"{fetched.url} is not this issuer's metadata: map the paths outside {PREFIX} in the proxy, or set"
        " OSTIARY_ROOT_ALIASES to off",
    )


def public_finding(issuer: str, fetched: Fetched) -> Finding:
    """Whether the public URL answers as this deployment: exactly this issuer, without a redirect."""
    url, status, content_type = fetched.url, fetched.status, fetched.content_type
    if status in range(300, 400):
        return bad("Public URL", f"{url} redirects: OSTIARY_ISSUER is not the URL that the proxy serves")
    if status != 200 or content_type != "application/json":
        return bad(
            "Public URL",
            f"{url} answers {status} {content_type}: the proxy must map the path to the discovery service",
        )
    try:
        served_issuer = parse_object(fetched.body).get("issuer")
    except BadJson as fault:
        return bad("Public URL", f"{url} is not the metadata document ({fault})")
    if served_issuer != issuer:
        return bad(
            "Public URL",
            f"{url} names the issuer {served_issuer}, but OSTIARY_ISSUER is {issuer}: make them equal",
        )
    return good("Public URL", f"{url} answers with this issuer")
