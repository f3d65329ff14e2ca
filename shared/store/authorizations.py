"""How an authorization is kept as JSON, beside a code in Redis and in a grant's row in PostgreSQL."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from shared.model import Authentication, Authorization, ClaimsRequest, Json, Scope


def details(authorization: Authorization) -> dict[str, Any]:
    """What has no column of its own: the claims request, the nonce, and the authentication."""
    authentication = authorization.authentication
    return {
        "userinfo": dict(authorization.claims.userinfo),
        "id_token": dict(authorization.claims.id_token),
        "nonce": authorization.nonce,
        "auth_time": int(authentication.auth_time.timestamp()),
        "acr": authentication.acr,
        "amr": authentication.amr,
    }


def restored(client_id: str, user_id: UUID, sid: UUID, scope: Scope, kept: Json) -> Authorization:
    """The authorization of which `details` kept the rest."""
    userinfo: Mapping[str, Json | None] = kept["userinfo"]
    id_token: Mapping[str, Json | None] = kept["id_token"]
    return Authorization(
        client_id=client_id,
        user_id=user_id,
        sid=sid,
        scope=scope,
        authentication=Authentication(
            auth_time=datetime.fromtimestamp(kept["auth_time"], UTC),
            acr=kept["acr"],
            amr=tuple(kept["amr"]),
        ),
        claims=ClaimsRequest(userinfo=userinfo, id_token=id_token),
        nonce=kept["nonce"],
    )
