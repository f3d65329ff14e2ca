"""The subject identifier of a user for a client (OpenID Connect Core 1.0 §8)."""

import hmac
from urllib.parse import urlsplit
from uuid import UUID

from shared.codec.base64url import base64url
from shared.oauth.client.record import Client


def sector_of(client: Client) -> str | None:
    """The sector of a client's pairwise identifiers (§8.1). None: its redirect URIs have several hosts."""
    if client.sector_identifier_uri is not None:
        return urlsplit(client.sector_identifier_uri).hostname
    hosts = {urlsplit(uri).hostname for uri in client.redirect_uris}
    return hosts.pop() if len(hosts) == 1 else None


def subject(user_id: UUID, client: Client, salt: bytes | None) -> str | None:
    """The `sub` of the user for *client*. None: it is pairwise and cannot be computed."""
    if client.subject_type == "public":
        return str(user_id)
    sector = sector_of(client)
    return pairwise(user_id, sector, salt) if sector is not None and salt else None


def pairwise(user_id: UUID, sector: str, salt: bytes) -> str:
    """HMAC-SHA-256 with the deployment's salt, in 43 characters; never a UUID like a public identifier."""
    return base64url(hmac.digest(salt, b"\0".join((sector.encode(), user_id.bytes)), "sha256"))
