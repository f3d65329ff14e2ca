"""The client information response: RFC 7591 §3.2.1, RFC 7592 §3. Pure."""

from typing import Any

from shared.oauth.client.metadata.declaration import Reader
from shared.oauth.client.metadata.members import information
from shared.oauth.client.record import Client
from shared.paths import CLIENT_CONFIGURATION, PREFIX


def client_information(
    client: Client,
    issuer: str,
    *,
    client_secret: str | None = None,
    registration_access_token: str | None = None,
    software_statement: object = None,
) -> dict[str, Any]:
    """The client's metadata, the URI to manage them, and each credential that may be shown now.

    A software statement that was used is returned unmodified.
    """
    secret = {"client_secret": client_secret, "client_secret_expires_at": 0} if client_secret else {}
    token = {"registration_access_token": registration_access_token} if registration_access_token else {}
    statement = {} if software_statement is None else {"software_statement": software_statement}
    return {
        **information(client, Reader.CLIENT),
        **secret,
        **token,
        "registration_client_uri": configuration_uri(issuer, client.client_id),
        **statement,
    }


def configuration_uri(issuer: str, client_id: str) -> str:
    """The URI of the client configuration endpoint: RFC 7592 §3."""
    return issuer + CLIENT_CONFIGURATION.for_client(client_id).removeprefix(PREFIX)
