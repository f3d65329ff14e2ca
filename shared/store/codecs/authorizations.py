"""An authorization as JSON, for a code in Redis and for a grant's row in PostgreSQL."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import (
    Annotated,
    Any,
    NotRequired,  # before Python 3.12, pydantic needs this one
)
from uuid import UUID

from pydantic import Field
from typing_extensions import TypedDict

from shared.model import Authentication, Authorization, ClaimsRequest, Json, Scope


class AuthorizationDetails(TypedDict):
    """The members without a column of their own: claims request, nonce, authentication, and resources.

    An earlier release ignores the resources, and its access tokens have the client's audience.
    """

    userinfo: dict[str, dict[str, Any] | None]
    id_token: dict[str, dict[str, Any] | None]
    nonce: str | None
    auth_time: Annotated[int, Field(ge=0, lt=253_402_300_800)]  # before the year 10000
    acr: str
    amr: tuple[str, ...]
    resources: NotRequired[tuple[str, ...]]


def details(authorization: Authorization) -> AuthorizationDetails:
    """The details of an authorization, as they are stored."""
    authentication = authorization.authentication
    stored: AuthorizationDetails = {
        "userinfo": _claims(authorization.claims.userinfo),
        "id_token": _claims(authorization.claims.id_token),
        "nonce": authorization.nonce,
        "auth_time": int(authentication.auth_time.timestamp()),
        "acr": authentication.acr,
        "amr": authentication.amr,
    }
    if authorization.resources:
        stored["resources"] = authorization.resources
    return stored


def _claims(requested: Mapping[str, Json | None]) -> dict[str, dict[str, Any] | None]:
    return {name: None if request is None else dict(request) for name, request in requested.items()}


def restored_authentication(stored: AuthorizationDetails | Json) -> Authentication:
    """The authentication among the details of an authorization."""
    auth_time = datetime.fromtimestamp(stored["auth_time"], UTC)
    return Authentication(auth_time=auth_time, acr=stored["acr"], amr=tuple(stored["amr"]))


def restored(
    client_id: str,
    user_id: UUID,
    sid: UUID,
    scope: Scope,
    details: AuthorizationDetails | Json,
    *,
    client_epoch: int,
) -> Authorization:
    """The authorization with these details."""
    userinfo: Mapping[str, Json | None] = details["userinfo"]
    id_token: Mapping[str, Json | None] = details["id_token"]
    return Authorization(
        client_id=client_id,
        user_id=user_id,
        sid=sid,
        scope=scope,
        authentication=restored_authentication(details),
        claims=ClaimsRequest(userinfo=userinfo, id_token=id_token),
        nonce=details["nonce"],
        client_epoch=client_epoch,
        resources=tuple(details.get("resources", ())),
    )
