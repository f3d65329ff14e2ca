"""Reading and writing the bodies of registration. Pure."""

from typing import Any

from shared.codec.json_text import BadJson, parse_object
from shared.model import Json
from shared.oauth.client.metadata import to_metadata
from shared.oauth.client.record import Client
from shared.oauth.errors import InvalidClientMetadata
from shared.paths import CLIENT_CONFIGURATION, PREFIX

JSON_TYPE = "application/json"


def read_body(content_type: str, body: bytes) -> dict[str, Any]:
    """The members of a JSON object. Raises InvalidClientMetadata: RFC 7591 §3.1."""
    if content_type != JSON_TYPE:
        raise InvalidClientMetadata(f"the content type must be {JSON_TYPE}")
    try:
        return parse_object(body)
    except BadJson as fault:
        raise InvalidClientMetadata(f"the body is not accepted: {fault}") from None


def configuration_uri(issuer: str, client_id: str) -> str:
    """RFC 7592 §3: where the client's configuration is."""
    return issuer + CLIENT_CONFIGURATION.for_client(client_id).removeprefix(PREFIX)


def client_information(
    client: Client,
    issuer: str,
    client_secret: str | None = None,
    registration_access_token: str | None = None,
) -> dict[str, Any]:
    """The client information response: RFC 7591 §3.2.1, RFC 7592 §3. Credentials are shown when made."""
    issued_at = {"client_id_issued_at": int(client.created_at.timestamp())} if client.created_at else {}
    secret = {"client_secret": client_secret, "client_secret_expires_at": 0} if client_secret else {}
    token = {"registration_access_token": registration_access_token} if registration_access_token else {}
    return {
        "client_id": client.client_id,
        **issued_at,
        **secret,
        **token,
        "registration_client_uri": configuration_uri(issuer, client.client_id),
        **to_metadata(client),
    }


def check_identity(members: Json, client_id: str) -> None:
    """RFC 7592 §2.2: an update names its own client, and sets none of what the server sets."""
    if members.get("client_id") != client_id:
        raise InvalidClientMetadata("client_id must be that of the client that is changed")
