"""The applications that users can open from here: third-party-initiated login, OpenID Connect Core 1.0 §4."""

from shared.browser.pages import ApplicationView, ClientView
from shared.browser.restart_uri import initiate_login_href
from shared.store import Clients, Unavailable

MAX_APPLICATIONS = 50


async def applications(clients: Clients, issuer: str) -> tuple[ApplicationView, ...]:
    """The clients at which a login can start. Empty if the store fails, so that the page is still shown."""
    try:
        startable = await clients.list_startable(MAX_APPLICATIONS)
    except Unavailable:
        return ()
    return tuple(
        ApplicationView(ClientView.of(client), initiate_login_href(client.initiate_login_uri, issuer))
        for client in startable
        if client.initiate_login_uri
    )
