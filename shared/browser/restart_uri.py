"""The URI at which a user can start again if their sign-in cannot continue. Pure."""

from urllib.parse import urlencode

from shared.oauth.client.record import Client
from shared.oauth.client.registered_uri import origin_of


def initiate_login_href(uri: str, issuer: str) -> str:
    """A client's `initiate_login_uri` with `iss`: OpenID Connect Core 1.0 §4."""
    separator = "&" if "?" in uri else "?"
    return f"{uri}{separator}{urlencode({'iss': issuer})}"


def restart_uri(client: Client, issuer: str) -> str | None:
    """The client's `initiate_login_uri`, else its home page, else the origin of its redirect URIs.

    None: the client is disabled, or has no web page.
    """
    if client.disabled_at:
        return None
    if client.initiate_login_uri:
        return initiate_login_href(client.initiate_login_uri, issuer)
    if client.client_uri:
        return client.client_uri
    return next((f"{origin}/" for uri in client.redirect_uris if (origin := origin_of(uri))), None)
