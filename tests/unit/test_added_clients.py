"""The defaults of a client that an operator adds: the record contains them, and later changes keep them."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from shared.oauth.client.faults import Capabilities
from shared.oauth.client.metadata.declaration import Reader
from shared.oauth.client.metadata.members import READ_ONLY_MEMBERS, from_metadata, information, to_metadata
from shared.oauth.client.record import Client
from shared.oauth.client.rules import read_operators, read_registration
from shared.oauth.errors import InvalidClientMetadata
from shared.oauth.tokens.keys import public_jwk

ALLOWED = Capabilities(response_types=("code",), signing_algorithms=("RS256", "ES256"))
URI = {"redirect_uris": ["https://rp.test/cb"]}
JWKS = {"keys": [public_jwk(ec.generate_private_key(ec.SECP256R1()).public_key())]}
MACHINE = {"grant_types": ["client_credentials"]}

OTHER_METHODS: list[dict[str, Any]] = [
    {"token_endpoint_auth_method": "client_secret_post"},
    {"token_endpoint_auth_method": "client_secret_jwt"},
    {"token_endpoint_auth_method": "private_key_jwt", "jwks": JWKS},
    {"token_endpoint_auth_method": "none"},
    {"profile": "fapi2", "jwks": JWKS},
    {"profile": "cells-legacy"},
]


def added(members: dict[str, Any]) -> Client:
    """The client, as `client add` reads it."""
    return read_operators({**URI, **members}, "c", ALLOWED).client


def replaced(members: dict[str, Any]) -> Client:
    """The client, as the administration reads a replacement."""
    return read_operators({**URI, **members}, "c", ALLOWED, is_new=False).client


def written_back(client: Client) -> Client:
    """The client after an operator reads it and sends back what they have read."""
    read = information(client, Reader.OPERATORS)
    settable = {name: value for name, value in read.items() if name not in READ_ONLY_MEMBERS}
    return read_operators(settable, client.client_id, ALLOWED, is_new=False).client


@pytest.mark.parametrize("members", [{}, MACHINE, {"profile": "cells-legacy", "client_secret": "x" * 43}])
def test_a_client_added_without_a_method_may_post_its_secret(members: dict[str, Any]) -> None:
    """Applications use one of the two methods, and few document which."""
    client = added(members)
    assert client.token_endpoint_auth_method == "client_secret_basic"
    assert client.allow_client_secret_post
    assert not added({**members, "allow_client_secret_post": False}).allow_client_secret_post


@pytest.mark.parametrize("members", [{"token_endpoint_auth_method": "client_secret_basic"}, *OTHER_METHODS])
def test_a_client_with_a_method_has_that_method_alone(members: dict[str, Any]) -> None:
    """A method that the operator or the profile sets is the only one."""
    assert not added(members).allow_client_secret_post


def test_only_an_operator_that_adds_a_client_allows_both_methods() -> None:
    """Not a registration over HTTP, a replacement that omits the member, or a row of an earlier release."""
    earlier = to_metadata(added({}))
    del earlier["allow_client_secret_post"]
    clients = (read_registration(URI, "c", ALLOWED), replaced({}), from_metadata("c", earlier))
    assert not any(client.allow_client_secret_post for client in clients)


@pytest.mark.parametrize("wanted", ["scope", ["scope"], None])
def test_an_added_client_finds_the_claims_of_its_scopes_in_the_id_token(wanted: object) -> None:
    """The default for clients that redeem codes with profile `default`; the operator can also set it."""
    assert added({"id_token_claims": wanted}).id_token_claims == ("scope",)
    assert to_metadata(added({}))["id_token_claims"] == ["scope"]


def test_other_clients_have_lean_id_tokens() -> None:
    """OpenID Connect Core 1.0 §5.4: other ID tokens have the configured claims, or none."""
    assert added({"id_token_claims": []}).id_token_claims == ()
    assert added(MACHINE).id_token_claims == ()
    assert added({"profile": "fapi2", "jwks": JWKS}).id_token_claims == ()
    assert "scope" not in added({"profile": "cells-legacy"}).id_token_claims
    assert replaced({}).id_token_claims == ()
    assert read_registration(URI, "c", ALLOWED).id_token_claims == ()


@pytest.mark.parametrize("members", OTHER_METHODS)
def test_posting_is_allowed_beside_basic_alone(members: dict[str, Any]) -> None:
    """With any other method, the member would have no effect, and is refused."""
    for read in (added, replaced):
        with pytest.raises(InvalidClientMetadata, match="allow_client_secret_post has no meaning with"):
            read({**members, "allow_client_secret_post": True})


@pytest.mark.parametrize(
    "client",
    [
        *(added(members) for members in ({}, MACHINE, *OTHER_METHODS)),
        added({"allow_client_secret_post": False}),
        replaced({}),
        read_registration(URI, "c", ALLOWED),
    ],
)
def test_a_client_that_is_read_and_written_back_is_unchanged(client: Client) -> None:
    """Defaults that depend on how a client was added are in its record, and shown."""
    assert "allow_client_secret_post" in information(client, Reader.OPERATORS)
    assert written_back(client) == client


def test_a_client_that_takes_another_method_loses_the_permission() -> None:
    """RFC 7592 §2.2: the client cannot see the member, so a new method removes it."""
    current = added({})
    kept = read_registration(
        {**URI, "token_endpoint_auth_method": "client_secret_basic"}, "c", ALLOWED, current
    )
    changed = read_registration({**URI, "token_endpoint_auth_method": "none"}, "c", ALLOWED, current)
    assert (kept.allow_client_secret_post, changed.allow_client_secret_post) == (True, False)
