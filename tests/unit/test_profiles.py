"""The profiles of clients: what each sets, and what it refuses."""

import json

import pytest
from click.testing import CliRunner

from services.cli import main
from shared.oauth.client.faults import Capabilities
from shared.oauth.client.metadata.profiles import PROFILES, REFUSED
from shared.oauth.client.record import Client
from shared.oauth.client.rules import read_operators
from shared.oauth.errors import InvalidClientMetadata
from tests.planted import planted
from tests.planted.registration import profiles_refuse_nothing

URI = {"redirect_uris": ["https://rp.test/cb"]}
ALLOWED = Capabilities(
    response_types=("code", "code id_token", "id_token token"), signing_algorithms=("RS256", "ES256")
)


def _added(**members: object) -> Client:
    return read_operators({**URI, **members}, "c", ALLOWED).client


def test_every_profile_says_what_it_refuses() -> None:
    """The two tables have the same rows."""
    assert PROFILES.keys() == REFUSED.keys()


def test_a_client_of_mcp_is_public_and_refreshes() -> None:
    """Without saying anything itself."""
    client = _added(profile="mcp")
    assert client.is_public
    assert client.require_pkce
    assert client.grant_types == ("authorization_code", "refresh_token")
    assert _added(profile="oauth-2.1").require_pkce


@planted(profiles_refuse_nothing)
@pytest.mark.parametrize("profile", ["oauth-2.1", "mcp"])
@pytest.mark.parametrize(
    "members",
    [
        {"require_pkce": False},
        {"response_types": ["code", "code id_token"], "grant_types": ["authorization_code", "implicit"]},
        {"response_types": ["id_token token"], "grant_types": ["implicit"]},
    ],
)
def test_what_a_profile_refuses_is_refused(profile: str, members: dict[str, object]) -> None:
    """By name, though a client of the profile default may have it."""
    assert _added(**members)
    with pytest.raises(InvalidClientMetadata, match=f"not for the profile {profile}"):
        _added(profile=profile, **members)


def test_the_command_shows_the_table() -> None:
    """`ostiary profile show` and `list`."""
    shown = CliRunner().invoke(main, ["profile", "show", "mcp", "--json"])
    assert json.loads(shown.stdout)["sets"]["token_endpoint_auth_method"] == "none"
    assert json.loads(shown.stdout)["refuses"]["require_pkce"] == [False]
    listed = CliRunner().invoke(main, ["profile", "list", "--json"])
    assert [each["name"] for each in json.loads(listed.stdout)] == list(PROFILES)
