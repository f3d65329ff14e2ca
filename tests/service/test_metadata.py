"""The provider metadata by the settings of a deployment."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from services.discovery.app import mount
from shared.oauth.authentication_methods import ACR_MULTIPLE_FACTORS, ACR_PASSWORD
from shared.oauth.supported import PROMPT_VALUES, SCOPE_CLAIMS
from shared.paths import OPENID_CONFIGURATION
from shared.server.app import application
from tests.authorization import LOCAL_ISSUER
from tests.builders import World
from tests.deployment import ISSUER, settings_for
from tests.planted import planted
from tests.planted.step_up import every_class_is_announced
from tests.served import Served

REGISTERED = frozenset(
    {
        "issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "registration_endpoint",
        "scopes_supported", "response_types_supported", "response_modes_supported", "grant_types_supported",
        "token_endpoint_auth_methods_supported", "token_endpoint_auth_signing_alg_values_supported",
        "service_documentation", "ui_locales_supported", "op_policy_uri", "op_tos_uri",
        "revocation_endpoint", "revocation_endpoint_auth_methods_supported",
        "revocation_endpoint_auth_signing_alg_values_supported", "introspection_endpoint",
        "introspection_endpoint_auth_methods_supported",
        "introspection_endpoint_auth_signing_alg_values_supported", "code_challenge_methods_supported",
        "signed_metadata", "device_authorization_endpoint", "userinfo_endpoint", "acr_values_supported",
        "subject_types_supported", "id_token_signing_alg_values_supported",
        "id_token_encryption_alg_values_supported", "id_token_encryption_enc_values_supported",
        "userinfo_signing_alg_values_supported", "userinfo_encryption_alg_values_supported",
        "userinfo_encryption_enc_values_supported", "request_object_signing_alg_values_supported",
        "request_object_encryption_alg_values_supported", "request_object_encryption_enc_values_supported",
        "display_values_supported", "claim_types_supported", "claims_supported", "claims_locales_supported",
        "claims_parameter_supported", "request_parameter_supported", "request_uri_parameter_supported",
        "require_request_uri_registration", "require_signed_request_object",
        "pushed_authorization_request_endpoint", "require_pushed_authorization_requests",
        "introspection_signing_alg_values_supported", "introspection_encryption_alg_values_supported",
        "introspection_encryption_enc_values_supported", "authorization_response_iss_parameter_supported",
        "check_session_iframe", "frontchannel_logout_supported", "frontchannel_logout_session_supported",
        "backchannel_logout_supported", "backchannel_logout_session_supported", "end_session_endpoint",
        "authorization_signing_alg_values_supported", "authorization_encryption_alg_values_supported",
        "authorization_encryption_enc_values_supported", "prompt_values_supported",
    }
)  # fmt: skip
"""IANA's registry of OAuth Authorization Server Metadata, as far as we could ever need it; for the last line
JARM §4 and OpenID Connect Initiating User Registration §4."""

Read = Callable[..., Awaitable[Any]]


@pytest.fixture
def metadata(module_database_url: str, module_redis_url: str, world: World) -> Read:
    """The document of a deployment with keys, by its settings."""

    async def read(**settings: str) -> Any:
        made = settings_for(module_database_url, module_redis_url, **settings)
        async with TestClient(Served(application(made, mount))) as client:
            response = await client.get(OPENID_CONFIGURATION.path, allow_redirects=False)
            assert (response.status, response.headers["Content-Type"]) == (200, "application/json")
            return await response.json()

    return read


@pytest.mark.point(1)
@pytest.mark.parametrize("issuer", [ISSUER, LOCAL_ISSUER])
async def test_every_member_is_registered_and_every_endpoint_is_the_issuers(
    metadata: Read, issuer: str
) -> None:
    """Discovery 1.0 §3: members are registered, and endpoints are below the issuer."""
    found = await metadata(issuer=issuer, response_types="all", unsigned_request_objects="on")
    assert found.keys() <= REGISTERED
    assert found["issuer"] == issuer
    endpoints = {name for name in found if name.endswith(("_endpoint", "_uri", "_iframe"))}
    assert len(endpoints) == 11
    assert all(found[name].startswith(f"{issuer}/") for name in endpoints)
    assert not any(value in (None, [], "") for value in found.values())


@pytest.mark.point(2)
async def test_what_every_relying_party_may_count_on(metadata: Read) -> None:
    """Discovery 1.0 §3: required members, and those that clients cannot learn otherwise."""
    found = await metadata()
    assert found["subject_types_supported"] == ["public", "pairwise"]
    assert "RS256" in found["id_token_signing_alg_values_supported"]
    assert "none" not in found["id_token_signing_alg_values_supported"]
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert {"openid", "profile", "email", "address", "phone", "groups"} <= {*found["scopes_supported"]}
    assert {"RS256", "PS256", "ES256", "EdDSA"} <= {*found["request_object_signing_alg_values_supported"]}
    for member in ("claims_parameter", "request_parameter", "request_uri_parameter"):
        assert found[f"{member}_supported"] is True
    assert found["require_request_uri_registration"] is True
    assert found["authorization_response_iss_parameter_supported"] is True


@pytest.mark.point(2)
async def test_every_claim_that_a_scope_releases_is_announced(metadata: Read) -> None:
    """Discovery 1.0 §3 and Core 1.0 §5.4; and none that is never given."""
    found = (await metadata())["claims_supported"]
    released = {claim for claims in SCOPE_CLAIMS.values() for claim in claims}
    own = {"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid"}
    assert {*found} == released | own
    assert len(found) == len({*found})


@planted(every_class_is_announced)
@pytest.mark.point("SU5")
async def test_the_classes_of_sign_ins_are_announced(metadata: Read) -> None:
    """RFC 9470 §7: those that users can reach here."""
    assert {ACR_MULTIPLE_FACTORS, ACR_PASSWORD} <= {*(await metadata())["acr_values_supported"]}
    assert ACR_MULTIPLE_FACTORS not in (await metadata(second_factor="off"))["acr_values_supported"]


@pytest.mark.point(2)
async def test_languages_are_written_as_their_registry_does(metadata: Read) -> None:
    """RFC 5646 §2.1.1: language in lower case, region in upper case."""
    for locale in (await metadata())["ui_locales_supported"]:
        assert re.fullmatch(r"[a-z]{2,3}(-[A-Z]{2})?", locale), locale


@pytest.mark.point(2)
@pytest.mark.parametrize(
    ("setting", "response_types"),
    [
        ("code", ["code"]),
        ("code,code id_token", ["code", "code id_token"]),
        (
            "all",
            ["code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"],
        ),
    ],
)
async def test_response_types_follow_their_setting(
    metadata: Read, setting: str, response_types: list[str]
) -> None:
    """One setting, and with it the grant type that they need."""
    found = await metadata(response_types=setting)
    assert sorted(found["response_types_supported"]) == sorted(response_types)
    assert ("implicit" in found["grant_types_supported"]) == (setting != "code")
    assert {"authorization_code", "refresh_token"} <= {*found["grant_types_supported"]}


@pytest.mark.point(1)
@pytest.mark.parametrize(
    ("others", "member", "value"),
    [
        ({"registration": "closed"}, "registration_endpoint", None),
        ({"registration": "open"}, "registration_endpoint", f"{ISSUER}/oauth2/register"),
        ({"session_management": "off"}, "check_session_iframe", None),
        ({"require_pushed_authorization_requests": "on"}, "require_pushed_authorization_requests", True),
        ({}, "require_pushed_authorization_requests", False),
        ({}, "prompt_values_supported", [*PROMPT_VALUES]),
        ({"sign_up": "open"}, "prompt_values_supported", [*PROMPT_VALUES, "create"]),
        ({"ui_locales": "fr,en"}, "ui_locales_supported", ["fr", "en"]),
    ],
    ids=str,
)
async def test_what_is_shown_is_what_is_on(
    metadata: Read, others: dict[str, str], member: str, value: Any
) -> None:
    """Disabled features have no member."""
    assert (await metadata(**others)).get(member) == value


@pytest.mark.point(1)
@pytest.mark.parametrize(("setting", "is_on"), [("on", True), ("off", False)])
async def test_unsigned_request_objects_are_announced_where_they_are_read(
    metadata: Read, setting: str, is_on: bool
) -> None:
    """`none` is a value like another: a client that finds it may send such an object."""
    found = await metadata(unsigned_request_objects=setting)
    assert ("none" in found["request_object_signing_alg_values_supported"]) is is_on
