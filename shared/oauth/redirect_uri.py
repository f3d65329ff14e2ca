"""Redirect URIs: where a response may be sent."""

import re
from collections.abc import Iterable

from shared.oauth.client.record import Client
from shared.paths import OUT_OF_BAND, OUT_OF_BAND_ALIAS

# RFC 8252 §7.3: IP literals only; a resolver may point `localhost` elsewhere
_LOOPBACK = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::([0-9]{1,5}))?((?:[/?].*)?)")
_LOOPBACK_NAMED = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]|localhost))(?::([0-9]{1,5}))?((?:[/?].*)?)")

_OUT_OF_BAND = (OUT_OF_BAND.path, OUT_OF_BAND_ALIAS.path)


def _without_port(uri: str, *, is_named: bool) -> str | None:
    match = (_LOOPBACK_NAMED if is_named else _LOOPBACK).fullmatch(uri)
    if match is None or (match[2] and not 0 < int(match[2]) < 65536):
        return None
    return match[1] + match[3]


def is_registered(
    redirect_uri: str, registered: Iterable[str], *, is_native: bool, is_document: bool = False
) -> bool:
    """Whether the URI is a registered one, byte for byte (RFC 9700 §2.1).

    For native clients, a loopback literal may have any port (RFC 8252 §7.3). For clients of documents,
    `localhost` may, too: many such documents list it without a port.
    """
    registered = tuple(registered)
    if "#" in redirect_uri:  # RFC 6749 §3.1.2
        return False
    if redirect_uri in registered:
        return True
    if not (is_native or is_document):
        return False
    portless = _without_port(redirect_uri, is_named=is_document)
    return portless is not None and portless in (
        _without_port(uri, is_named=is_document) for uri in registered
    )


def is_redirect_uri_of(client: Client, redirect_uri: str) -> bool:
    """Whether responses to *client* may be sent to the URI."""
    return is_registered(
        redirect_uri,
        client.redirect_uris,
        is_native=client.application_type == "native",
        is_document=client.document_hash is not None,
    )


def is_out_of_band(redirect_uri: str, origins: Iterable[str]) -> bool:
    """Whether the URI is the page of this server, on one of its origins, that shows a code to the user."""
    return redirect_uri.endswith(_OUT_OF_BAND) and any(
        redirect_uri == origin + path for origin in origins for path in _OUT_OF_BAND
    )
