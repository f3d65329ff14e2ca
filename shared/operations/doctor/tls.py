"""Whether the public URL has a valid certificate and refuses obsolete versions of TLS (RFC 8996)."""

import asyncio
import ssl
import warnings
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from shared.live import clock
from shared.operations.doctor.findings import Finding, bad, good

TIMEOUT = 10.0  # seconds
LEAST_LEFT = 0.1  # of the certificate's lifetime: a renewal is overdue
HTTPS = 443


async def tls_finding(origin: str, trust: ssl.SSLContext) -> Finding:
    """Raises OSError, TimeoutError: there is no connection, or the certificate is invalid."""
    url = urlsplit(origin)
    host, port = url.hostname or "", url.port or HTTPS
    session = await _session(host, port, trust)
    accepts_obsolete = False
    with suppress(OSError, TimeoutError):
        accepts_obsolete = bool(await _session(host, port, _obsolete()))
    certificate = session.getpeercert() or {}
    begins, ends = str(certificate["notBefore"]), str(certificate["notAfter"])
    return judged(session.version() or "", (begins, ends), clock.now(), accepts_obsolete=accepts_obsolete)


def judged(version: str, validity: tuple[str, str], now: datetime, *, accepts_obsolete: bool) -> Finding:
    """The finding about a connection with *version* and a certificate's validity, as OpenSSL prints it."""
    if accepts_obsolete:
        return bad("TLS", "the proxy accepts TLS 1.1 or older: allow only 1.2 and 1.3")
    begins, ends = map(_moment, validity)
    left: timedelta = ends - now
    if left < (ends - begins) * LEAST_LEFT:
        return bad("TLS", f"the certificate expires at {ends.isoformat()}: renew it, and see why nothing did")
    return good("TLS", f"{version}, with a certificate that is valid until {ends.isoformat()}")


def _moment(text: str) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC)


async def _session(host: str, port: int, context: ssl.SSLContext) -> ssl.SSLObject:
    async with asyncio.timeout(TIMEOUT):
        _, writer = await asyncio.open_connection(host, port, ssl=context, server_hostname=host)
    session: ssl.SSLObject = writer.get_extra_info("ssl_object")
    writer.close()
    return session


def _obsolete() -> ssl.SSLContext:
    """A context that offers nothing newer than TLS 1.1, and sends nothing: it verifies no certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of versions that are to be refused
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    return context
