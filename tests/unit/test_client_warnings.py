"""Warnings when an operator adds or changes a client."""

from typing import Any

import pytest

from shared.oauth.client.faults import Capabilities
from shared.oauth.client.rules import read_operators
from shared.oauth.supported import SCOPES
from shared.operations.examination.warnings import client_warnings, configured_claims
from tests.planted import planted
from tests.planted.examination import warns_of_nothing

ALLOWED = Capabilities(response_types=("code",), signing_algorithms=("RS256",))
URI = {"redirect_uris": ["https://rp.test/cb"]}
KNOWN = frozenset({*SCOPES, "files:read"})
PRESENT = frozenset({"name", "email", "department"})


def warnings(**members: Any) -> list[str]:
    """The warnings, if users have the claims PRESENT."""
    client = read_operators({**URI, **members}, "c", ALLOWED).client
    return [str(each) for each in client_warnings(client, KNOWN, configured_claims(client) - PRESENT)]


@planted(warns_of_nothing)
@pytest.mark.parametrize(
    ("members", "path", "alternative"),
    [
        ({"scope": "openid offline_access"}, "scope", "add refresh_token to grant_types"),
        ({"scope": "openid offline"}, "scope", "add refresh_token to grant_types"),
        ({"scope": "openid files:write"}, "scope", "`ostiary resource add`"),
        (
            {"id_token_claims": ["scope", "shoe_size"]},
            "id_token_claims.1",
            "`ostiary user update NAME --claims",
        ),
        ({"claims_mapping": {"nickname": "nick"}}, "claims_mapping.nickname", "`ostiary user update NAME"),
        (
            {"redirect_uris": ["https://rp.test/cb", "http://nas/cb"], "allow_insecure_redirects": True},
            "redirect_uris.1",
            "use https",
        ),
        (
            {"post_logout_redirect_uris": ["http://10.0.0.7/"], "allow_insecure_redirects": True},
            "post_logout_redirect_uris.0",
            "use https",
        ),
    ],
)
def test_a_warning_names_the_member_and_an_alternative(
    members: dict[str, Any], path: str, alternative: str
) -> None:
    """There is a warning for each suspicious setting."""
    (warning,) = warnings(**members)
    assert warning.startswith(f"{path} ")
    assert alternative in warning


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"grant_types": ["authorization_code", "refresh_token"], "scope": "openid offline_access files:read"},
        {"profile": "cells-legacy", "scope": "openid profile email pydio offline",
         "grant_types": ["authorization_code", "refresh_token"]},
        {"id_token_claims": ["scope", "department", "groups", "username", "sid"]},
        {"id_token_claims": ["unit"], "claims_mapping": {"unit": "department", "nickname": "username"}},
        {"redirect_uris": ["http://localhost:3000/cb", "http://127.0.0.1/cb"]},
        {"allow_insecure_redirects": True},
    ],
)  # fmt: skip
def test_the_usual_is_not_warned_of(members: dict[str, Any]) -> None:
    """Defaults, profiles, existing claims and loopback redirects cause no warning."""
    assert warnings(**members) == []
