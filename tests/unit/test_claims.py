"""Claims: what a scope, a request by name and a client's record release, and in what shape."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from shared.model import Authentication, Authorization, ClaimsRequest, Json, Scope, User
from shared.oauth.claims import id_token_user_claims, userinfo_claims
from shared.oauth.client.faults import Capabilities
from shared.oauth.client.metadata.kinds import Constant
from shared.oauth.client.metadata.members import from_metadata, to_metadata
from shared.oauth.client.record import Client
from shared.oauth.client.rules import read_operators
from shared.oauth.errors import InvalidClientMetadata
from shared.operations.user_rules.bad_user import BadUser
from shared.operations.user_rules.claims import check_claims
from tests.planted import planted
from tests.planted.oauth import claims_are_texts, everything_is_delivered

USER = User(
    user_id=UUID(int=7),
    username="ada",
    updated_at=datetime(2026, 1, 1, tzinfo=UTC),
    claims={
        "name": "Ada Lovelace",
        "nickname": "",
        "email": "ada@example.org",
        "email_verified": "yes",
        "address": {"locality": "London", "region": "", "country": None},
        "phone_number": "+44 20 0000",
        "phone_number_verified": False,
        "roles": ["an attribute"],
        "groupPath": "/admins",
        "authSource": "ldap",
        "ssn": "000-00-0000",
    },
    roles=("ADMIN", "OPS"),
)
CLIENT = Client(client_id="c")
SUB = {"sub": str(UUID(int=7))}


def _authorization(scope: Scope, claims: ClaimsRequest | None = None) -> Authorization:
    return Authorization(
        client_id="c",
        user_id=USER.user_id,
        sid=UUID(int=8),
        scope=scope,
        authentication=Authentication(auth_time=datetime(2026, 1, 1, tzinfo=UTC), acr="pwd", amr=("pwd",)),
        claims=claims or ClaimsRequest(),
    )


def _userinfo(scope: Scope, asked: dict[str, Json | None] | None = None, **client: Any) -> dict[str, Any]:
    return userinfo_claims(USER, SUB["sub"], scope, asked or {}, Client(client_id="c", **client))


@pytest.mark.parametrize(
    ("scope", "claims"),
    [
        ((), {}),
        (("openid", "unknown", "offline_access"), {}),
        (("profile",), {"name": "Ada Lovelace", "preferred_username": "ada", "updated_at": 1767225600}),
        (("email",), {"email": "ada@example.org"}),
        (("address",), {"address": {"locality": "London"}}),
        (("phone",), {"phone_number": "+44 20 0000", "phone_number_verified": False}),
        (("roles",), {"roles": ["ADMIN", "OPS"]}),
        (
            ("pydio",),
            {
                "roles": ["ADMIN", "OPS"],
                "groupPath": "/admins",
                "authSource": "ldap",
                "displayName": "Ada Lovelace",
            },
        ),
    ],
)
def test_each_scope_releases_its_claims_alone(scope: Scope, claims: dict[str, Any]) -> None:
    """OpenID Connect Core 1.0 §5.4: claims that are empty or have a wrong type are absent."""
    assert _userinfo(scope) == {**claims, **SUB}


def test_a_claim_may_be_asked_for_by_name() -> None:
    """OpenID Connect Core 1.0 §5.5: voluntary, essential, or with a value."""
    asked: dict[str, Json | None] = {
        "name": {"essential": True},
        "email": None,
        "phone_number": {"value": "another"},
        "preferred_username": {"values": ["eve", "ada"]},
        "birthdate": {"essential": True},
    }
    assert _userinfo(("openid",), asked) == {
        "name": "Ada Lovelace",
        "email": "ada@example.org",
        "preferred_username": "ada",
        **SUB,
    }


@pytest.mark.parametrize("name", ["ssn", "groupPath", "username", "password_hash", "epoch"])
def test_what_no_scope_stands_for_is_not_had_by_name(name: str) -> None:
    """Other attributes of a user, and claims of scopes that were not granted, are not released by name."""
    assert _userinfo(("openid", "profile"), {name: {"essential": True}}).get(name) is None


def test_sub_is_always_the_users_own() -> None:
    """Neither a mapping nor a claim of the user's record replaces `sub`."""
    assert _userinfo(("openid",), {"sub": {"value": "x"}}, claims_mapping={"sub": "username"}) == SUB


def test_a_mapping_renames_what_is_released() -> None:
    """Cells' clients find the login in `name`."""
    assert _userinfo(("profile",), claims_mapping={"name": "username"})["name"] == "ada"


def test_a_claim_for_userinfo_stays_out_of_the_id_token() -> None:
    """OpenID Connect Core 1.0 §5.5: `userinfo` and `id_token` are separate."""
    request = ClaimsRequest(userinfo={"email": None}, id_token={"name": None})
    authorization = _authorization(("openid", "profile", "email"), request)
    assert id_token_user_claims(USER, authorization, CLIENT) == {"name": "Ada Lovelace"}


def test_a_clients_record_may_ask_once_for_all() -> None:
    """`id_token_claims`; `sid` and `rat` are not the user's."""
    client = Client(client_id="c", id_token_claims=("name", "email", "authSource", "sid", "rat"))
    assert id_token_user_claims(USER, _authorization(("openid",)), client) == {
        "name": "Ada Lovelace",
        "email": "ada@example.org",
        "authSource": "ldap",
    }


AS_CONFIGURED: dict[str, Any] = {
    "teams": ["a", "b"],
    "no_teams": [],
    "level": 7,
    "none": 0,
    "rate": 1.5,
    "is_admin": False,
    "department": {"id": 1, "tags": ["x", ""], "head": None},
    "matrix": [[1], {"a": [True]}],
}


@planted(claims_are_texts)
@pytest.mark.parametrize("name", AS_CONFIGURED)
def test_a_claim_of_an_operators_own_is_delivered_as_it_is(name: str) -> None:
    """`id_token_claims` and mappings release claims of any JSON type."""
    user = replace(USER, claims=AS_CONFIGURED)
    named = Client(client_id="c", id_token_claims=(name,))
    mapped = Client(client_id="c", id_token_claims=("own",), claims_mapping={"own": name})
    as_standard = Client(client_id="c", id_token_claims=("nickname",), claims_mapping={"nickname": name})
    authorization = _authorization(("openid",))
    assert id_token_user_claims(user, authorization, named) == {name: AS_CONFIGURED[name]}
    assert id_token_user_claims(user, authorization, mapped) == {"own": AS_CONFIGURED[name]}
    assert id_token_user_claims(user, authorization, as_standard) == {"nickname": AS_CONFIGURED[name]}


def test_an_operators_claim_that_says_nothing_is_absent() -> None:
    """OpenID Connect Core 1.0 §5.3.2: null and empty strings are left out."""
    user = replace(USER, claims={"one": None, "two": ""})
    client = Client(client_id="c", id_token_claims=("one", "two", "three"))
    assert id_token_user_claims(user, _authorization(("openid",)), client) == {}


def test_a_mapping_may_name_a_constant() -> None:
    """By scope, by name and in ID tokens, in place of the user's own value."""
    mapping = {
        "email": Constant("shared@example.org"),
        "groups": Constant(["everybody"]),
        "tenant": Constant("acme"),
        "level": Constant(7),
    }
    client = Client(client_id="c", claims_mapping=mapping, id_token_claims=("tenant", "level"))
    asked = {"groups": None}
    assert userinfo_claims(USER, SUB["sub"], ("email",), asked, client) == {
        "email": "shared@example.org",
        "groups": ["everybody"],
        **SUB,
    }
    claims = id_token_user_claims(USER, _authorization(("openid",)), client)
    assert claims == {"tenant": "acme", "level": 7}


def test_a_mapping_is_stored_as_it_was_written() -> None:
    """Attributes as texts, constants as objects."""
    mapping = {"name": "username", "tenant": {"constant": "acme"}, "teams": {"constant": ["a", "b"]}}
    metadata = {"claims_mapping": mapping, "id_token_claims": ["tenant", "teams"]}
    client = read_operators({**URIS, **metadata}, "c", ALLOWED).client
    assert to_metadata(client)["claims_mapping"] == mapping
    assert from_metadata("c", to_metadata(client)).claims_mapping == client.claims_mapping


ALLOWED = Capabilities(response_types=("code",), signing_algorithms=("RS256",))
URIS = {"redirect_uris": ["https://rp.test/cb"]}


@pytest.mark.parametrize(
    "members",
    [
        {"id_token_claims": ["name", "at_hash"]},
        {"id_token_claims": ["jti"]},
        {"claims_mapping": {"sub": "email"}},
        {"claims_mapping": {"azp": "email"}},
        {"claims_mapping": {"name": "address"}},
        {"claims_mapping": {"email_verified": "username"}},
        {"claims_mapping": {"roles": "email"}},
        {"claims_mapping": {"email": "roles"}},
        {"claims_mapping": {"email": {"constant": True}}},
        {"claims_mapping": {"email_verified": {"constant": "yes"}}},
        {"claims_mapping": {"groups": {"constant": "staff"}}, "id_token_claims": ["groups"]},
        {"claims_mapping": {"sub": {"constant": "x"}}},
        {"claims_mapping": {"nickname": {"constant": ""}}},
        {"claims_mapping": {"nickname": {"constant": None}}},
        {"claims_mapping": {"nickname": {"constant": "x", "attribute": "name"}}},
        {"claims_mapping": {"nickname": {}}},
        {"claims_mapping": {"nickname": 7}},
    ],
)
def test_what_cannot_be_delivered_is_refused_when_it_is_configured(members: dict[str, Any]) -> None:
    """A claim that cannot be delivered is refused instead of left out silently."""
    with pytest.raises(InvalidClientMetadata, match=next(iter(members))):
        read_operators({**URIS, **members}, "c", ALLOWED)


@planted(everything_is_delivered)
@pytest.mark.parametrize(
    "members",
    [
        {"claims_mapping": {"nickname": "sub"}},
        {"claims_mapping": {"team": "department"}},
        {"claims_mapping": {"tenant": {"constant": "acme"}}},
        {"claims_mapping": {"memberOf": "roles"}},
        {"claims_mapping": {"displayName": "name"}},
        {"claims_mapping": {"phone_number": "mobile"}, "scope": "openid profile", "skip_consent": True},
        {"id_token_claims": ["scope", "department"], "scope": "profile email"},
        {"id_token_claims": ["email"], "grant_types": ["client_credentials"], "response_types": []},
    ],
)
def test_what_no_token_would_contain_is_refused_when_it_is_configured(members: dict[str, Any]) -> None:
    """No attribute, no scope that releases the claim, or no ID token."""
    with pytest.raises(InvalidClientMetadata, match=next(iter(members))):
        read_operators({**URIS, **members}, "c", ALLOWED)


@pytest.mark.parametrize(
    "members",
    [
        {
            "id_token_claims": ["groups", "sid", "rat", "x"],
            "claims_mapping": {"name": "username", "x": "groups"},
        },
        {
            "id_token_claims": ["tenant", "level", "memberOf"],
            "claims_mapping": {
                "tenant": {"constant": "acme"},
                "level": {"constant": 2.5},
                "memberOf": "roles",
                "groups": {"constant": ["everybody"]},
                "email_verified": {"constant": True},
            },
            "scope": "openid profile email groups",
        },
        {"claims_mapping": {"displayName": "name"}, "scope": "openid pydio"},
        {"claims_mapping": {"phone_number": "mobile"}, "scope": "openid profile"},
        {"id_token_claims": ["scope"], "scope": "profile email"},
        {"profile": "cells-legacy", "scope": "email profile"},
    ],
)
def test_what_can_be_delivered_is_accepted(members: dict[str, Any]) -> None:
    """By the record, by a scope or by the `claims` parameter; and whatever a profile has as a default."""
    assert read_operators({**URIS, **members}, "c", ALLOWED)


@pytest.mark.parametrize("claims", [{"roles": "ADMIN"}, {"roles": [1]}, {"address": {"locality": 1}}])
def test_a_standard_claim_of_a_wrong_type_is_refused_when_it_is_configured(claims: dict[str, Any]) -> None:
    """A claim of the wrong type is refused, as it would never be released."""
    with pytest.raises(BadUser):
        check_claims(claims)
