"""One file a grant type. A new one is a file, and a line in GRANTS."""

from collections.abc import Awaitable, Callable, Mapping

from services.token.grants.answer import Answer
from services.token.grants.authorization_code import authorization_code
from services.token.grants.client_credentials import client_credentials
from services.token.grants.collaborators import Collaborators
from services.token.grants.device_code import device_code
from services.token.grants.refresh_token import refresh_token
from services.token.grants.request import TokenRequest
from shared.oauth.supported import DEVICE_CODE

Grant = Callable[[Collaborators, TokenRequest], Awaitable[Answer]]

GRANTS: Mapping[str, Grant] = {
    "authorization_code": authorization_code,
    "client_credentials": client_credentials,
    "refresh_token": refresh_token,
    DEVICE_CODE: device_code,
}
