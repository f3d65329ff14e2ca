"""The record of a client after it was written."""

from contextlib import suppress

from shared.oauth.client.record import Client
from shared.store import Clients, Unavailable


async def as_stored(clients: Clients, client: Client) -> Client:
    """*client*, which was just written, as it is stored now.

    Its credentials are shown once only, so an outage between writing and reading does not keep them back: the
    response lacks the time of the registration then.
    """
    with suppress(Unavailable):
        return await clients.find(client.client_id) or client
    return client
