"""Errors of the endpoints that authenticate a client: RFC 6749 §5.2."""

from aiohttp import web

from shared.oauth.errors import InvalidClient, OAuthError
from shared.web.answers import error_answer
from shared.web.bearer import REALM


def client_error(_: web.Request, error: OAuthError) -> web.Response:
    """An error as JSON, with a challenge for a client that failed to authenticate.

    The command line of Cells recognizes an error by `status_code` alone.
    """
    challenge = {"WWW-Authenticate": f"Basic {REALM}"} if isinstance(error, InvalidClient) else None
    return error_answer(error, headers=challenge, members={"status_code": error.status})
