"""The body of a registration or an update: RFC 7591 §3.1, RFC 7592 §2.2. Pure."""

import hashlib
import hmac
from typing import Any

from shared.codec.json_text import BadJson, parse_object
from shared.model import Json
from shared.oauth.client.record import Client
from shared.oauth.errors import InvalidClientMetadata

JSON_TYPE = "application/json"


def read_body(content_type: str, body: bytes) -> dict[str, Any]:
    """The members of a JSON object. Raises InvalidClientMetadata."""
    if content_type != JSON_TYPE:
        raise InvalidClientMetadata(f"the content type must be {JSON_TYPE}")
    try:
        return parse_object(body)
    except BadJson as fault:
        raise InvalidClientMetadata(f"the body is not accepted: {fault}") from None


def check_identity(members: Json, client: Client) -> None:
    """Check that an update names its own client and does not choose a secret; it may repeat the current one.

    RFC 7592 §2.2. Raises InvalidClientMetadata.
    """
    if members.get("client_id") != client.client_id:
        raise InvalidClientMetadata("client_id must be that of the client that is changed")
    if (client_secret := members.get("client_secret")) is None:
        return
    presented = hashlib.sha256(str(client_secret).encode()).digest()
    if not any(hmac.compare_digest(presented, secret.hash) for secret in client.secrets):
        raise InvalidClientMetadata("client_secret is not the client's")


def requested_scope(members: Json) -> list[str]:
    """The scope-tokens that the client registers, if the member is a string at all."""
    scope = members.get("scope")
    return scope.split() if isinstance(scope, str) else []
