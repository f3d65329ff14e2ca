"""One file a grant type. A new grant is a file and a line in GRANTS.

Two concurrent redemptions of a code are a retry if both proved a code challenge or the client's identity:
the loser is refused and nothing is revoked. The same holds for device polls of confidential clients. Without
such a proof, or if a request arrives after the grant was made, it is a replay and revokes the grant.

A redemption whose outcome is unknown is answered with 503. Its repetition takes the grant over by comparing
and setting the owner in one statement. A lease in Redis would let two attempts win after a pause longer than
the lease.
"""

from collections.abc import Awaitable, Callable, Mapping

from services.token.grants.answer import Answer
from services.token.grants.authorization_code import authorization_code
from services.token.grants.client_credentials import client_credentials
from services.token.grants.collaborators import Collaborators
from services.token.grants.device_code import device_code
from services.token.grants.refresh_token import refresh_token
from services.token.grants.request import TokenRequest
from shared.oauth.supported import DEVICE_CODE

Grant = Callable[[TokenRequest, Collaborators], Awaitable[Answer]]

GRANTS: Mapping[str, Grant] = {
    "authorization_code": authorization_code,
    "client_credentials": client_credentials,
    "refresh_token": refresh_token,
    DEVICE_CODE: device_code,
}
