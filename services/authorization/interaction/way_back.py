"""Where a person can begin again whose sign-in cannot go on. Pure."""

from urllib.parse import urlencode

from shared.oauth.client.record import Client
from shared.oauth.client.registered_uri import origin_of


def initiate_login_href(uri: str, issuer: str) -> str:
    """Where a login begins at a client: OpenID Connect Core 1.0 §4. Nobody is named to it yet."""
    separator = "&" if "?" in uri else "?"
    return f"{uri}{separator}{urlencode({'iss': issuer})}"


def way_back(client: Client, issuer: str) -> str | None:
    """Where *client* begins a login, else its home page, else the origin of its redirect URIs.

    None: it is disabled, or an application without a web page.
    """
    if client.disabled_at:
        return None
    if client.initiate_login_uri:
        return initiate_login_href(client.initiate_login_uri, issuer)
    if client.client_uri:
        return client.client_uri
    return next((f"{origin}/" for uri in client.redirect_uris if (origin := origin_of(uri))), None)
