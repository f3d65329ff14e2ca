"""The declaration of client metadata, and everything that follows from it."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.client_registry.administration.openapi.schemas import schemas
from services.client_registry.registration.response import client_information
from shared.oauth.client.faults import Capabilities
from shared.oauth.client.metadata.declaration import Reader, Setter
from shared.oauth.client.metadata.members import (
    MEMBERS,
    OPERATORS_MEMBERS,
    READ_ONLY_MEMBERS,
    STANDARD_MEMBERS,
    from_metadata,
    information,
    to_metadata,
)
from shared.oauth.client.metadata.profiles import PROFILES
from shared.oauth.client.record import Client
from shared.oauth.client.rules import read_operators, read_registration

ROOT = Path(__file__).parents[2]
ALLOWED = Capabilities(response_types=("code",), signing_algorithms=("RS256", "ES256"))
URI = {"redirect_uris": ["https://rp.test/cb"]}
OTHER: dict[str, Any] = {
    "allow_personal_access_tokens": True,
    "allow_client_secret_post": False,
    "allow_administration": True,
    "allow_insecure_redirects": True,
    "allowed_groups": ["staff"],
    "profile": "cells-legacy",
    "require_pkce": True,
    "skip_consent": True,
    "remember_consent": False,
    "access_token_format": "jwt",
    "audience": ["https://api.test"],
    "resource_identifiers": ["https://api.test"],
    "claims_mapping": {"name": "username"},
    "id_token_claims": ["email"],
    "access_token_lifetime": 60,
    "id_token_lifetime": 60,
    "authorization_code_lifetime": 60,
    "refresh_token_lifetime": 60,
    "refresh_token_idle_lifetime": 60,
    "refresh_token_rotation": False,
    "allowed_cors_origins": ["https://rp.test"],
    "assertion_audience": "issuer",
}
"""A value of each operators' member that is not its default where an operator adds a client."""


def test_every_field_of_a_client_is_declared_or_internal() -> None:
    """Fields without a declaration (credentials and counters) are never shown."""
    internal = {"client_id", "secrets", "registration_access_token_hash", "version", "epoch", "document_hash"}
    assert set(Client.__dataclass_fields__) == internal | set(MEMBERS)
    assert not STANDARD_MEMBERS & OPERATORS_MEMBERS
    assert set(OTHER) == OPERATORS_MEMBERS


@pytest.mark.parametrize("name", sorted(OPERATORS_MEMBERS))
def test_an_operators_member_is_the_same_in_every_view(name: str) -> None:
    """Accepted, recorded, stored, read back, shown to operators, in the schemas; ignored over HTTP."""
    value = OTHER[name]
    client = read_operators({**URI, name: value}, "c", ALLOWED).client
    assert to_metadata(client)[name] == value
    assert from_metadata("c", to_metadata(client)) == client
    assert name not in client_information(client, "https://id.test")
    assert information(client, Reader.OPERATORS)[name] == value
    for schema in ("ClientRequest", "Client", "ClientWithSecret"):
        assert MEMBERS[name].about in schemas()[schema]["properties"][name]["description"]
    registered = read_registration({**URI, name: value}, "c", ALLOWED)
    assert registered == read_registration(URI, "c", ALLOWED)


@pytest.mark.parametrize("name", sorted(OPERATORS_MEMBERS))
def test_the_example_of_an_operators_member_is_accepted(name: str) -> None:
    """The documented example is accepted."""
    example = MEMBERS[name].example
    client = read_operators({**URI, "jwks_uri": "https://rp.test/jwks", name: example}, "c", ALLOWED).client
    assert to_metadata(client)[name] == example


def test_an_operator_sees_more_than_the_client_and_nobody_sees_a_credential() -> None:
    """Members that the server sets are read-only, and some are only for operators."""
    client = Client(client_id="c", disabled_at=datetime.now(UTC), created_at=datetime.fromtimestamp(7, UTC))
    for_client, for_operators = (information(client, reader) for reader in (Reader.CLIENT, Reader.OPERATORS))
    assert for_client.items() <= for_operators.items()
    assert for_operators.keys() - for_client.keys() == {
        "is_disabled",
        "is_dynamically_registered",
        *(OPERATORS_MEMBERS & for_operators.keys()),
    }
    assert (for_operators["is_disabled"], for_operators["is_dynamically_registered"]) == (True, False)
    assert for_client["client_id_issued_at"] == 7
    for names in (for_operators, schemas()["Client"]["properties"]):
        assert set(READ_ONLY_MEMBERS) <= set(names)
        assert not {"secrets", "registration_access_token_hash", "version", "epoch"} & set(names)


def test_each_profile_sets_only_members_that_may_be_set() -> None:
    """A profile's defaults are valid when they are set explicitly."""
    for profile, defaults in PROFILES.items():
        assert all(MEMBERS[name].set_by is not Setter.SERVER for name in defaults)
        named = {**URI, "jwks_uri": "https://rp.test/jwks", **defaults, "profile": profile}
        assert to_metadata(read_operators(named, "c", ALLOWED).client).items() >= defaults.items()


_NEW_MEMBER = """
import importlib.util, sys
name = "shared.oauth.client.record"
spec = importlib.util.find_spec(name)
field = '''    allowed_colours: Annotated[tuple[str, ...], operators(
        NAMES, "the colours of its buttons", example=["red"], profiles={"fapi2": ["grey"]})] = ("blue",)
'''
source = open(spec.origin, encoding="utf-8").read()
assert source.count("    client_id: str\\n") == 1
module = importlib.util.module_from_spec(spec)
sys.modules[name] = module
exec(source.replace("    client_id: str\\n", "    client_id: str\\n" + field), module.__dict__)

from services.client_registry.administration.openapi.schemas import schemas
from services.client_registry.registration.response import client_information
from shared.oauth.client.faults import Capabilities
from shared.oauth.client.metadata.declaration import Reader
from shared.oauth.client.metadata.members import from_metadata, information, to_metadata
from shared.oauth.client.metadata.profiles import PROFILES
from shared.oauth.client.rules import read_operators, read_registration

allowed = Capabilities(response_types=("code",), signing_algorithms=("RS256",))
request = {"redirect_uris": ["https://rp.test/cb"], "allowed_colours": ["red"]}
client = read_operators(request, "c", allowed).client
assert client.allowed_colours == ("red",)
assert from_metadata("c", to_metadata(client)) == client
assert "allowed_colours" not in client_information(client, "https://id.test")
assert information(client, Reader.OPERATORS)["allowed_colours"] == ["red"]
schema = schemas()["ClientRequest"]["properties"]["allowed_colours"]
assert (schema["default"], schema["description"]) == (["blue"], "the colours of its buttons")
assert PROFILES["fapi2"]["allowed_colours"] == ["grey"]
assert read_registration(request, "c", allowed).allowed_colours == ("blue",)
from tests.rules.test_client_members_documented import _row
assert _row("allowed_colours") == (
    '| `allowed_colours` | the colours of its buttons | `["blue"]` | fapi2: `["grey"]` | `["red"]` |')
"""


def test_a_new_member_is_one_declaration() -> None:
    """One field added to the record is enough for every view of client metadata."""
    ended = subprocess.run(
        [sys.executable, "-c", _NEW_MEMBER], cwd=ROOT, check=False, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
