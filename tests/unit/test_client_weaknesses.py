"""The weaknesses of clients, and their remedies."""

import re
import shlex
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from deploy.applications.library import presets
from deploy.applications.preset import provider_values, rendered_metadata
from shared.oauth.client.faults import Capabilities
from shared.oauth.client.metadata.members import to_metadata
from shared.oauth.client.record import Client
from shared.oauth.client.rules import read_operators
from shared.operations.examination.weaknesses import Weakness, weaknesses
from tests.deployment import settings_for
from tests.planted import planted
from tests.planted.examination import everything_is_weak, nothing_is_weak

ISSUER = "https://op.test/oidc"
ALLOWED = Capabilities(
    response_types=("code", "code id_token", "id_token token"), signing_algorithms=("RS256", "ES256")
)
SETTINGS = settings_for("postgresql://x", "redis://x")
STRONG = {"client_name": "It's a client", "redirect_uris": ["https://rp.test/cb"], "require_pkce": True}
APP = {"redirect_uris": ["com.example.app:/cb"], "token_endpoint_auth_method": "none"}
SIGNING = {"jwks_uri": "https://rp.test/jwks", "token_endpoint_auth_signing_alg": "ES256"}


def client_of(**members: Any) -> Client:
    """A strong client with these members."""
    return read_operators({**STRONG, **members}, "it's; a $client", ALLOWED).client


def found(client: Client, unused_since: datetime | None = None) -> list[Weakness]:
    """The weaknesses with the default settings."""
    return list(weaknesses(client, SETTINGS, unused_since))


WEAK = [
    ({"redirect_uris": ["http://nas/cb"], "allow_insecure_redirects": True}, "redirect_uris"),
    (
        {"post_logout_redirect_uris": ["http://10.0.0.7/"], "allow_insecure_redirects": True},
        "redirect_uris",
    ),
    ({"allow_insecure_redirects": True}, "allow_insecure_redirects"),
    ({"response_types": ["id_token token"]}, "response_types"),
    ({"response_types": ["code", "id_token token"]}, "response_types"),
    ({**APP, "skip_consent": True, "scope": "openid"}, "skip_consent"),
    ({**APP, "remember_consent": True}, "remember_consent"),
    (
        {**APP, "grant_types": ["authorization_code", "refresh_token"], "refresh_token_rotation": False},
        "refresh_token_rotation",
    ),
    ({"skip_consent": True, "scope": "openid email phone"}, "skip_consent"),
    ({"skip_consent": True, "scope": "openid api:write"}, "skip_consent"),
    ({"require_pkce": False}, "require_pkce"),
    (
        {"token_endpoint_auth_method": "client_secret_jwt", "assertion_audience": "issuer"},
        "token_endpoint_auth_method",
    ),
    ({"token_endpoint_auth_method": "private_key_jwt", **SIGNING}, "assertion_audience"),
    ({"access_token_lifetime": 7200}, "access_token_lifetime"),
    ({"id_token_lifetime": 7200}, "id_token_lifetime"),
    ({"authorization_code_lifetime": 600}, "authorization_code_lifetime"),
    ({"refresh_token_idle_lifetime": 31536000}, "refresh_token_idle_lifetime"),
]


@planted(nothing_is_weak)
@pytest.mark.parametrize(("members", "member"), WEAK)
def test_a_weakness_is_found(members: dict[str, Any], member: str) -> None:
    """It alone, by the member that it lies in."""
    assert [weakness.member for weakness in found(client_of(**members))] == [member]


@planted(everything_is_weak)
@pytest.mark.parametrize(
    "members",
    [
        {},
        {"redirect_uris": ["http://localhost:8080/cb"]},
        {"response_types": ["code id_token"]},
        {**APP, "redirect_uris": ["https://rp.test/cb"], "skip_consent": True, "scope": "openid"},
        {"grant_types": ["authorization_code", "refresh_token"], "refresh_token_rotation": False},
        {"skip_consent": True, "scope": "openid profile email groups"},
        {"grant_types": ["client_credentials"], "response_types": [], "require_pkce": False},
        {"token_endpoint_auth_method": "private_key_jwt", **SIGNING, "assertion_audience": "issuer"},
        {"access_token_lifetime": 600, "authorization_code_lifetime": 30},
    ],
)
def test_a_strong_client_has_none(members: dict[str, Any]) -> None:
    """What is as safe as it gets, or proves itself in another way."""
    assert found(client_of(**members)) == []


@pytest.mark.parametrize("members", [members for members, _ in WEAK])
def test_a_remedy_ends_the_weakness(members: dict[str, Any]) -> None:
    """Its command has metadata that is accepted, and the client is strong afterwards."""
    client = client_of(**members)
    (weakness,) = found(client)
    for command in re.findall(r"`([^`]+)`", weakness.remedy):
        echo, metadata, *rest = shlex.split(command)
        assert (echo, rest) == ("echo", ["|", "ostiary", "client", "update", client.client_id, "-"])
        updated = {**to_metadata(client), **orjson.loads(metadata)}
        given = {name: value for name, value in updated.items() if value is not None}
        assert found(read_operators(given, client.client_id, ALLOWED, is_new=False).client) == []


def test_an_unused_client_can_be_disabled() -> None:
    """The sentence names the day; an API that gets no tokens is not called unused."""
    since = datetime(2026, 3, 1, tzinfo=UTC)
    (weakness,) = found(client_of(), since)
    assert "2026-03-01" in weakness.sentence
    assert "`ostiary client disable 'it'\"'\"'s; a $client'`" in weakness.remedy
    assert found(client_of(resource_identifiers=["https://api.test"]), since) == []


def test_the_gravest_comes_first() -> None:
    """In the order of the rules."""
    weak = client_of(
        redirect_uris=["http://nas/cb"],
        allow_insecure_redirects=True,
        require_pkce=False,
        access_token_lifetime=7200,
    )
    assert [each.member for each in found(weak)] == ["redirect_uris", "require_pkce", "access_token_lifetime"]


@pytest.mark.parametrize("name", presets())
def test_presets_have_no_grave_weakness(name: str) -> None:
    """At most that PKCE is not required, since an application may lack it."""
    preset = presets()[name]
    values = {**preset.values, **provider_values(ISSUER), "url": "https://app.test", "host": "app.test"}
    client = read_operators(rendered_metadata(preset, values), "c", ALLOWED).client
    assert {weakness.member for weakness in found(client)} <= {"require_pkce"}
