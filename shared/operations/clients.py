"""The operators' functions for clients, over ports."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from operator import attrgetter
from typing import Any

from shared.config.settings import Settings
from shared.live.randomness import new_client_id, new_client_secret
from shared.model import Author, Json
from shared.oauth.client.faults import Capabilities
from shared.oauth.client.metadata.declaration import Reader
from shared.oauth.client.metadata.members import PUBLIC_DEFAULTS, READ_ONLY_MEMBERS, information, to_metadata
from shared.oauth.client.metadata.validation import refuse
from shared.oauth.client.record import Client
from shared.oauth.client.rules import read_operators
from shared.oauth.client.secret import (
    needs_secret,
    new_secret,
    retained_secrets,
    rotated_secrets,
    with_secret,
)
from shared.operations.examination.warnings import ClientWarning
from shared.operations.listing import every
from shared.operations.rights import check_rights
from shared.process.operator_error import OperatorError
from shared.store import EVERY_CLIENT, ClientFilter, Clients, Stale

MAX_OVERLAP = timedelta(days=90)


class NoSuchClient(OperatorError):
    """There is no client with that client_id."""

    template = "There is no client {}"


@dataclass(frozen=True, slots=True)
class Registered:
    """A client, its secret if that is new (shown once, stored as a hash), and warnings for its operator."""

    client: Client
    client_secret: str | None = None
    warnings: tuple[ClientWarning, ...] = ()

    def members(self) -> dict[str, Any]:
        """The client as operators see it, with its secret if that is new, and with any warnings."""
        warnings = [warning.members() for warning in self.warnings]
        return {
            **information(self.client, Reader.OPERATORS),
            **secret_members(self.client_secret),
            **({"warnings": warnings} if warnings else {}),
        }

    def secrets(self) -> dict[str, Any]:
        """After a rotation: the new secret, and the expiry of the previous one (seconds since 1970)."""
        expiries = [int(secret.expires_at.timestamp()) for secret in self.client.secrets if secret.expires_at]
        return {
            "client_id": self.client.client_id,
            **secret_members(self.client_secret),
            **({"previous_client_secret_expires_at": expiries[0]} if expiries else {}),
        }


def allowed_by(settings: Settings, *, client_credentials: bool = True) -> Capabilities:
    """The capabilities that this deployment gives clients."""
    return Capabilities(
        response_types=settings.response_types,
        signing_algorithms=settings.signing_algorithms,
        fetch=settings.fetch_allow,
        client_credentials=client_credentials,
        unsigned_request_objects=settings.unsigned_request_objects,
    )


def secret_members(client_secret: str | None) -> dict[str, Any]:
    """A client secret, which never expires: RFC 7591 §3.2.1."""
    return {"client_secret": client_secret, "client_secret_expires_at": 0} if client_secret else {}


async def get(clients: Clients, client_id: str) -> Client:
    """Raises NoSuchClient."""
    if client := await clients.find(client_id):
        return client
    raise NoSuchClient(client_id)


async def add_client(
    clients: Clients, metadata: Json, allowed: Capabilities, *, by: Author | None = None
) -> Registered:
    """Register the client that an operator describes.

    Raises InvalidClientMetadata, InvalidRedirectUri, BeyondRights, Taken.
    """
    described = read_operators(metadata, new_client_id(), allowed)
    client, secret = described.client, described.client_secret
    check_rights(by, client.scope)
    if secret is None and needs_secret(client):
        secret = new_client_secret()
    await clients.add(with_secret(client, secret), by=by)
    return Registered(await get(clients, client.client_id), secret)


async def update_client(clients: Clients, client_id: str, changes: Json, allowed: Capabilities) -> Registered:
    """Change the members in *changes*; null returns one to its default.

    Raises NoSuchClient, InvalidClientMetadata, InvalidRedirectUri, Stale.
    """
    current = await get(clients, client_id)
    metadata = to_metadata(current)
    if not current.is_public and changes.get("token_endpoint_auth_method") == "none":
        # A value that was the default for a confidential client is replaced by the default for a public one.
        metadata = {
            name: value for name, value in metadata.items() if value is PUBLIC_DEFAULTS.get(name, value)
        }
    if changes.get("token_endpoint_auth_method") is not None:
        # A named method is the only one, unless the changes say more.
        del metadata["allow_client_secret_post"]
    return await replace_client(clients, current, {**metadata, **changes}, allowed)


async def replace_client(
    clients: Clients, current: Client, metadata: Json, allowed: Capabilities, *, by: Author | None = None
) -> Registered:
    """Replace the metadata of *current*; an omitted member returns to its default. Members that nobody sets
    may have the values that the client is shown with.

    Raises InvalidClientMetadata, InvalidRedirectUri, BeyondRights, Stale.
    """
    client_id, metadata = current.client_id, _without_read_only(metadata, current)
    described = read_operators({**metadata, "client_id": client_id}, client_id, allowed, is_new=False)
    client, secret = described.client, described.client_secret
    check_rights(by, current.scope, client.scope)
    retained = retained_secrets(client, current.secrets)
    if secret is None and needs_secret(client) and not retained:
        secret = new_client_secret()
    changed = replace(
        with_secret(replace(client, secrets=retained), secret),
        registration_access_token_hash=current.registration_access_token_hash,
        is_dynamically_registered=current.is_dynamically_registered,
        version=current.version,
    )
    await clients.replace(changed, by=by)
    stored = replace(
        changed,
        version=current.version + 1,
        disabled_at=current.disabled_at,
        created_at=current.created_at,
        epoch=current.epoch,
    )
    return Registered(stored, secret)


def _without_read_only(metadata: Json, client: Client) -> dict[str, Any]:
    """The members that may be set.

    Raises InvalidClientMetadata: a read-only member differs from its current value.
    """
    shown = information(client, Reader.OPERATORS)
    read_only = ("client_id", *READ_ONLY_MEMBERS)
    changed = [name for name in read_only if name in metadata and metadata[name] != shown.get(name)]
    refuse([(name, "cannot be changed") for name in changed])
    return {name: value for name, value in metadata.items() if name not in READ_ONLY_MEMBERS}


async def rotate_secret(
    clients: Clients,
    client: Client,
    now: datetime,
    overlap: timedelta = timedelta(0),
    *,
    by: Author | None = None,
) -> Registered:
    """Create a new secret. The previous one works for the *overlap*. Raises NoSecret, BeyondRights, Stale."""
    check_rights(by, client.scope)
    if not needs_secret(client):
        raise NoSecret(client.client_id)
    secret = new_client_secret()
    secrets = rotated_secrets(new_secret(client, secret), client.secrets, now, now + overlap)
    rotated = replace(client, secrets=secrets)
    await clients.replace(rotated, by=by, event="client_secret_rotated")
    return Registered(rotated, secret)


async def delete_client(clients: Clients, client: Client, *, by: Author | None = None) -> None:
    """Delete a client of this version, with its consents and grants. Raises BeyondRights, Stale."""
    check_rights(by, client.scope)
    if not await clients.delete(client.client_id, by=by, version=client.version):
        raise Stale(client.client_id)


class NoSecret(OperatorError):
    """The client authenticates without a client secret."""

    template = "The client {} authenticates without a client secret"


def every_client(clients: Clients, matching: ClientFilter = EVERY_CLIENT) -> AsyncIterator[Client]:
    """All clients that match, by client_id."""
    return every(partial(clients.list, matching=matching), attrgetter("client_id"))
