"""Planted defects of issuing tokens."""

import pytest

from shared.issuing import client_authentication, tokens
from shared.model import Authorization, Json, User
from shared.oauth import claims
from shared.oauth.client.record import Client


def every_id_token_has_the_claims_of_the_scope(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the claims of the scope into ID tokens that pass through a browser."""
    lean = claims.id_token_user_claims

    def full(user: User, authorization: Authorization, client: Client, *, is_alone: bool = False) -> Json:
        by_scope = claims.claims_by_scope(user, authorization.scope, client)
        return {**by_scope, **lean(user, authorization, client, is_alone=is_alone)}

    monkeypatch.setattr(tokens, "id_token_user_claims", full)


def believes_a_client_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client needs no secret, whatever it has registered."""
    monkeypatch.setattr(client_authentication, "accepts", lambda client, credentials: True)
