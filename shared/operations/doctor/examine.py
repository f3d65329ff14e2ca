"""Runs every check of a deployment."""

import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import aiohttp

from shared.config.settings import Settings
from shared.live import clock
from shared.operations.doctor import proxy, records, stores
from shared.operations.doctor.clocks import clock_finding
from shared.operations.doctor.files import file_findings
from shared.operations.doctor.findings import Finding, bad, good
from shared.operations.doctor.http import HttpClient, HttpRequest
from shared.operations.doctor.mail import mail_finding
from shared.operations.doctor.public import WITHOUT_ROOT_PATHS, public_finding, root_paths_finding
from shared.operations.doctor.related_origins import related_origins
from shared.operations.doctor.tls import tls_finding
from shared.paths import OAUTH_AUTHORIZATION_SERVER, OPENID_CONFIGURATION
from shared.store.open import open_stores


async def examine(
    settings: Settings, secret_files: Iterable[Path] = (), ca_file: Path | None = None
) -> list[Finding]:
    """Run every check, ordered so that an earlier fault explains later ones. Raises MissingStore.

    *secret_files* are the files of the settings; *ca_file* is trusted for the public URL, too.
    """
    findings = list(file_findings(secret_files))
    async with open_stores(settings) as opened:
        findings += [
            await stores.postgresql(opened.probe),
            await stores.connections(opened.probe, settings),
            await stores.redis(opened.probe),
            await stores.migrations(opened.probe),
        ]
        if findings[-1].is_good:
            findings += [
                await records.keys(settings, opened),
                *await records.clients(settings, opened),
                await records.passkeys(settings, opened),
                await records.outbox(opened),
            ]
    findings.append(await mail_finding(settings))
    trust = ssl.create_default_context()
    for file in filter(None, (ca_file, settings.fetch_ca_file)):
        trust.load_verify_locations(file)
    return [*findings, *[finding async for finding in _public(settings, trust)]]


async def _public(settings: Settings, trust: ssl.SSLContext) -> AsyncIterator[Finding]:
    if not settings.root_aliases:
        yield good("Root paths", WITHOUT_ROOT_PATHS)
    ask, url = HttpClient(trust), OPENID_CONFIGURATION.at(settings.issuer)
    before = clock.now()
    try:
        answer = await ask(HttpRequest(url))
        yield public_finding(settings.issuer, answer)
        with suppress(ValueError):
            date = parsedate_to_datetime(answer.headers.get("Date", ""))
            yield clock_finding("Proxy", date, before - timedelta(seconds=1))
        if settings.root_aliases:
            alias = await ask(HttpRequest(settings.origin + OAUTH_AUTHORIZATION_SERVER.path))
            yield root_paths_finding(settings.issuer, alias)
        if settings.is_https:
            yield await tls_finding(settings.origin, trust)
        if settings.related_origins:
            yield await related_origins(settings, ask)
        async for finding in proxy.findings(settings, ask):
            yield finding
    except (aiohttp.ClientError, OSError, TimeoutError) as fault:
        yield bad("Public URL", f"{url} cannot be reached ({fault}): see OSTIARY_ISSUER and the proxy")
