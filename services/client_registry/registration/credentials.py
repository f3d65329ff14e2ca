"""The tokens that authorize registering a client, and reading or changing one."""

import hmac
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from shared.live import clock
from shared.live.address_block import address_block
from shared.live.rate_limiter import RateLimiter
from shared.model import Author
from shared.oauth.client.record import Client
from shared.oauth.errors import InvalidToken, TooManyRequests
from shared.oauth.tokens.handle import Kind, digest, is_handle
from shared.store import Clients
from shared.web.bearer import required_credentials
from shared.web.forwarded import client_address

ITSELF = Author("itself")
"""The author of these changes in the audit log: the client itself."""

_NOBODY = bytes(32)


def bearer_token(request: web.Request, kind: Kind) -> str:
    """The bearer token of that kind, from the header alone. Raises InvalidToken, InvalidRequest."""
    token = required_credentials(request).token
    if not is_handle(kind, token):
        raise InvalidToken("the token is of another kind, or malformed")
    return token


@contextmanager
def limit_failures(failures: RateLimiter, credential: str, request: web.Request) -> Iterator[None]:
    """Count an InvalidToken of the block against the address that sent the *credential*.

    After too many of them, raises TooManyRequests before the next token is checked.
    """
    key, now = f"{credential}\0{address_block(client_address(request))}", clock.now()
    if wait := failures.wait(key, now):
        raise TooManyRequests("too many invalid tokens", wait)
    try:
        yield
    except InvalidToken:
        failures.count(key, now)
        raise


async def registered_client(clients: Clients, client_id: str, token: str) -> Client:
    """The client of that id, if *token* is its registration access token.

    Raises InvalidToken, also for an unknown client_id: the answer does not reveal whether a client exists.
    """
    client = await clients.find(client_id)
    expected = (client.registration_access_token_hash if client else None) or _NOBODY
    if not hmac.compare_digest(expected, digest(token)) or client is None:
        raise InvalidToken("the token is not for this client", client_id=client_id)
    return client
