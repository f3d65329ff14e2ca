"""Claims that an operator configures and that the client could never be given. Pure."""

from collections.abc import Iterator

from shared.oauth.claims import BY_SCOPE, may_be_released
from shared.oauth.client.faults import Fault
from shared.oauth.client.metadata.profiles import PROFILES
from shared.oauth.client.record import Client
from shared.oauth.scope import OPENID
from shared.oauth.supported import DEVICE_CODE, SERVER_CLAIMS

_GRANTS_OF_USERS = frozenset({"authorization_code", "implicit", DEVICE_CODE})


def delivery_faults(client: Client) -> Iterator[Fault]:
    """Claims in `id_token_claims` and `claims_mapping` that no token and no response would contain."""
    if no_id_token := _no_id_token(client):
        usual = PROFILES[client.profile].get("id_token_claims", ())
        for index, name in enumerate(client.id_token_claims):
            if name != BY_SCOPE and name not in usual:
                yield f"id_token_claims.{index}", f"is never delivered: {no_id_token}"
    for name, source in client.claims_mapping.items():
        if isinstance(source, str) and source in SERVER_CLAIMS:
            yield f"claims_mapping.{name}", f"takes {source}, which is not an attribute of users"
        elif name not in SERVER_CLAIMS and not may_be_released(name, client):
            yield (
                f"claims_mapping.{name}",
                "is never delivered: no scope releases it; add it to id_token_claims",
            )


def _no_id_token(client: Client) -> str | None:
    """Why the client is never issued an ID token; None: it may be."""
    if OPENID not in client.scope:
        return f"the client gets no ID tokens without {OPENID} in its scope"
    if _GRANTS_OF_USERS.isdisjoint(client.grant_types):
        return "the client gets no ID tokens, since none of its grant_types has a user"
    return None
