"""The account pages as a client: their users sign in as for any other. Pure.

Nobody registers this client, and no store has it. It gets an authorization code, which nobody can redeem and
nobody needs: the session that has begun is what the pages are after.
"""

from shared.oauth.client.record import Client
from shared.paths import ACCOUNT_PAGES

ACCOUNT_CLIENT_ID = "ostiary-account"


def account_client(issuer: str) -> Client:
    """The client. Each page is a redirect URI, so no parameter decides where a sign-in leads."""
    return Client(
        client_id=ACCOUNT_CLIENT_ID,
        redirect_uris=tuple(page.at(issuer) for page in ACCOUNT_PAGES),
        skip_consent=True,
    )


def is_account_client(client: Client) -> bool:
    """Whether it is that client, which a registered one of the same name is not."""
    return client.client_id == ACCOUNT_CLIENT_ID and client.epoch == 0
