"""Updates of clients by themselves, for every pair of an old and a new registration."""

from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from services.client_registry.registration.response import client_information
from shared.oauth.client.faults import Capabilities
from shared.oauth.client.record import Client, ClientSecret
from shared.oauth.client.rules import read_operators, read_registration
from shared.oauth.errors import InvalidClientMetadata, InvalidRedirectUri, OAuthError
from shared.oauth.supported import DEVICE_CODE, SCOPES
from shared.oauth.tokens.keys import public_jwk
from tests.planted import planted
from tests.planted.oauth import (
    operators_members_are_reset,
    policy_of_what_was,
    programs_may_be_started,
    strangers_have_any_scheme,
)

ALLOWED = Capabilities(
    response_types=("code", "id_token", "code id_token"), signing_algorithms=("RS256", "ES256", "EdDSA")
)
URI = {"redirect_uris": ["https://rp.test/cb"]}
JWKS = {"keys": [public_jwk(ec.generate_private_key(ec.SECP256R1()).public_key())]}
UNKNOWN_KEY = {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AQ"}
MEMBERS: dict[str, list[Any]] = {
    "client_name": ["", "Ä name"],
    "application_type": ["web", "native"],
    "redirect_uris": [
        [], ["https://rp.test/cb"], ["https://rp.test/cb", "http://127.0.0.1/"], ["com.example.app:/cb"],
        ["cellsauth://callback", "http://localhost:8080/x"],
    ],
    "post_logout_redirect_uris": [[], ["https://rp.test/out"], ["com.example.app:/out"]],
    "grant_types": [
        [], ["authorization_code"], ["authorization_code", "refresh_token"], ["client_credentials"],
        [DEVICE_CODE], ["authorization_code", "implicit"],
    ],
    "response_types": [[], ["code"], ["id_token code"], ["code", "code id_token"]],
    "scope": ["", "openid", "openid email unheard-of", "email email openid"],
    "token_endpoint_auth_method": [
        "none", "client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt",
    ],
    "token_endpoint_auth_signing_alg": ["ES256", "HS256"],
    "jwks": [JWKS, {"keys": [UNKNOWN_KEY, *JWKS["keys"]]}, {"keys": [UNKNOWN_KEY]}],
    "jwks_uri": ["https://rp.test/jwks"],
    "id_token_signed_response_alg": ["RS256", "ES256"],
    "id_token_encrypted_response_alg": ["ECDH-ES"],
    "id_token_encrypted_response_enc": ["A128GCM"],
    "userinfo_signed_response_alg": ["EdDSA"],
    "userinfo_encrypted_response_alg": ["ECDH-ES"],
    "introspection_signed_response_alg": ["ES256"],
    "introspection_encrypted_response_alg": ["ECDH-ES"],
    "authorization_signed_response_alg": ["ES256"],
    "request_object_signing_alg": ["ES256"],
    "request_uris": [[], ["https://rp.test/request#hash"]],
    "require_signed_request_object": [True, False],
    "require_pushed_authorization_requests": [True, False],
    "subject_type": ["public", "pairwise"],
    "sector_identifier_uri": ["https://rp.test/sector"],
    "default_max_age": [0, 600],
    "require_auth_time": [True, False],
    "default_acr_values": [[], ["urn:ostiary:acr:pwd", "urn:other"]],
    "initiate_login_uri": ["https://rp.test/start"],
    "backchannel_logout_uri": ["https://rp.test/logout"],
    "backchannel_logout_session_required": [True, False],
    "frontchannel_logout_uri": ["https://rp.test/out"],
    "frontchannel_logout_session_required": [True, False],
    "client_uri": ["https://rp.test/"],
    "logo_uri": ["https://rp.test/logo"],
    "policy_uri": ["https://rp.test/policy"],
    "tos_uri": ["https://rp.test/tos"],
    "contacts": [[], ["ops@rp.test"]],
    "software_id": ["s"],
    "software_version": ["1"],
}  # fmt: skip
OPERATORS: dict[str, list[Any]] = {
    "allow_client_secret_post": [True],
    "require_pkce": [True, False],
    "skip_consent": [True, False],
    "remember_consent": [True, False],
    "scope": [("openid", "api:read"), SCOPES],
    "audience": [("https://api.test",)],
    "access_token_format": ["jwt"],
    "assertion_audience": ["issuer"],
    "allowed_cors_origins": [(), ("https://rp.test",)],
    "redirect_uris": [("https://rp.test/cb", "obsidian://cb")],
    "profile": ["cells-legacy", "fapi2"],
}


def _some(members: dict[str, list[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Some members with values. Most members are left out, so that most registrations are valid."""
    names = st.lists(st.sampled_from(sorted(members)), unique=True, max_size=6)
    return names.flatmap(
        lambda chosen: st.fixed_dictionaries({name: st.sampled_from(members[name]) for name in chosen})
    )


@st.composite
def _registered(draw: st.DrawFn) -> Client:
    """A client that registered itself, and that an operator may have changed."""
    members = {**URI, **draw(_some(MEMBERS))}
    try:
        client = read_registration(members, "c", ALLOWED)
    except OAuthError:
        assume(False)
    changed = draw(_some(OPERATORS)) if draw(st.booleans()) else {}
    if client.token_endpoint_auth_method != "client_secret_basic":
        changed.pop("allow_client_secret_post", None)
    secrets = (ClientSecret(b"x" * 32),) if not client.is_public else ()
    return replace(client, **changed, secrets=secrets, registration_access_token_hash=b"t" * 32, version=3)


_SETTINGS = settings(
    max_examples=300,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),  # to shrink an example costs more than the test
    suppress_health_check=list(HealthCheck),
)


@planted(operators_members_are_reset)
@given(_registered())
@_SETTINGS
def test_what_was_read_may_be_sent_back_and_changes_nothing(client: Client) -> None:
    """RFC 7592 §2.2: sending back what was read changes no member."""
    read = client_information(client, "https://id.test/oidc", registration_access_token="rat_x")
    try:
        sent = read_registration(read, "c", ALLOWED, client)
    except InvalidRedirectUri:
        assume("obsidian://cb" in client.redirect_uris and client.application_type == "web")
        return
    assert replace(sent, secrets=client.secrets) == client


@planted(policy_of_what_was)
@given(_registered(), _some(MEMBERS))
@_SETTINGS
def test_a_client_that_becomes_public_needs_pkce_whatever_it_was(
    client: Client, members: dict[str, Any]
) -> None:
    """RFC 9700 §2.1.1, RFC 8252 §8.6: the resulting record decides."""
    members = {**URI, **members, "token_endpoint_auth_method": "none"}
    try:
        changed = read_registration(members, "c", ALLOWED, replace(client, require_pkce=client.is_public))
    except OAuthError:
        assume(False)
    assert changed.is_public
    assert changed.require_pkce
    if not client.is_public:
        assert (changed.remember_consent, changed.skip_consent) == (False, False)


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "client_secret_jwt"])
def test_a_client_that_stops_being_public_keeps_pkce(method: str) -> None:
    """A client that becomes confidential still needs PKCE."""
    public = read_registration({**URI, "token_endpoint_auth_method": "none"}, "c", ALLOWED)
    changed = read_registration({**URI, "token_endpoint_auth_method": method}, "c", ALLOWED, public)
    assert (changed.is_public, changed.require_pkce) == (False, True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("token_endpoint_auth_method", "client_secret_basic"),
        ("token_endpoint_auth_method", "none"),
        ("require_pushed_authorization_requests", False),
        ("id_token_signed_response_alg", "RS256"),
    ],
)
def test_a_client_does_not_leave_its_profile(name: str, value: object) -> None:
    """A client cannot leave its profile, and the operator's exceptions stay."""
    strict = read_operators({**URI, "profile": "fapi2", "jwks": JWKS}, "c", ALLOWED).client
    members = {**client_information(strict, "https://id.test/oidc"), name: value}
    with pytest.raises(InvalidClientMetadata, match=f"{name} is set by the profile fapi2"):
        read_registration(members, "c", ALLOWED, strict)
    relaxed = read_operators(
        {**URI, "profile": "fapi2", "jwks": JWKS, "require_pushed_authorization_requests": False},
        "c",
        ALLOWED,
    ).client
    assert read_registration(client_information(relaxed, "https://id.test"), "c", ALLOWED, relaxed)


NATIVE = {"token_endpoint_auth_method": "none"}


@planted(strangers_have_any_scheme)
@pytest.mark.parametrize("scheme", ["obsidian", "myapp", "web+app", "slack"])
def test_a_stranger_has_schemes_of_domain_names_alone(scheme: str) -> None:
    """RFC 8252 §7.1: other schemes are only for operators."""
    members = {**NATIVE, "redirect_uris": [f"{scheme}://cb"]}
    with pytest.raises(InvalidRedirectUri, match=r"redirect_uris\.0 has a scheme that is not made from"):
        read_registration(members, "c", ALLOWED)
    with pytest.raises(InvalidClientMetadata, match=r"post_logout_redirect_uris\.0"):
        members = {**NATIVE, "redirect_uris": ["com.app:/x"], "post_logout_redirect_uris": [f"{scheme}://cb"]}
        read_registration(members, "c", ALLOWED)
    known = read_operators({**NATIVE, "redirect_uris": [f"{scheme}://cb"]}, "c", ALLOWED).client
    kept = read_registration({**NATIVE, "redirect_uris": [f"{scheme}://cb"]}, "c", ALLOWED, known)
    assert kept.redirect_uris == known.redirect_uris
    with pytest.raises(InvalidRedirectUri):
        read_registration({**NATIVE, "redirect_uris": [f"{scheme}://other"]}, "c", ALLOWED, known)


@planted(programs_may_be_started)
@pytest.mark.parametrize(
    "scheme", ["ms-msdt", "search-ms", "jnlp", "microsoft-edge", "com.epicgames.launcher"]
)
def test_nobody_registers_a_scheme_that_starts_a_program(scheme: str) -> None:
    """Schemes that start programs are refused for everyone."""
    members = {**NATIVE, "redirect_uris": [f"{scheme}:/id"]}
    for read in (read_registration, read_operators):
        with pytest.raises(InvalidRedirectUri, match="which is not for redirects"):
            read(members, "c", ALLOWED)


def test_the_schemes_of_an_app_and_of_cells_are_accepted() -> None:
    """RFC 8252 §7.1, and Cells' clients as they are."""
    uris = ["com.example.app:/oauth2redirect", "cellsauth://callback"]
    assert read_registration({**NATIVE, "redirect_uris": uris}, "c", ALLOWED).redirect_uris == tuple(uris)


@pytest.mark.parametrize("uri", ["http://127.0.0.1/", "http://[::1]/cb", "com.example.app:/cb"])
def test_one_redirect_uri_on_a_device_makes_a_public_client_native(uri: str) -> None:
    """RFC 8252 §7.3: a loopback URI accepts any port, whatever else is registered."""
    members = {**NATIVE, "redirect_uris": ["https://e.example/r", uri]}
    assert read_registration(members, "c", ALLOWED).application_type == "native"
    assert read_registration({**NATIVE, **URI}, "c", ALLOWED).application_type == "web"


@pytest.mark.parametrize("read", [read_registration, lambda *given: read_operators(*given).client])
def test_empty_is_missing(read: Any) -> None:
    """RFC 7591 §2: no client is registered that could do nothing."""
    assert read({**URI, "scope": "", "grant_types": []}, "c", ALLOWED) == read(URI, "c", ALLOWED)
    assert read({**URI, "grant_types": [], "response_types": ["code"]}, "c", ALLOWED).grant_types == (
        "authorization_code",
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("client_name", "a\nb"), ("scope", 'a"b'), ("software_id", "\x7f"), ("contacts", ["\x00"]),
        ("token_endpoint_auth_method", "ü"), ("default_acr_values", ["a b"]), ("response_types", ["\x01"]),
    ],
)  # fmt: skip
def test_a_fault_says_what_is_wrong_and_shows_no_regular_expression(name: str, value: object) -> None:
    """The message is a sentence, without a regular expression."""
    with pytest.raises(InvalidClientMetadata) as refused:
        read_registration({**URI, name: value}, "c", ALLOWED)
    [(path, fault)] = refused.value.faults
    assert path.startswith(name)
    assert fault == "is not accepted: it has characters that are not allowed there"


@pytest.mark.parametrize(
    "needs",
    [
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"require_signed_request_object": True},
        {"request_object_signing_alg": "ES256"},
        {"id_token_encrypted_response_alg": "ECDH-ES"},
    ],
)
def test_a_client_that_needs_a_key_has_one_that_is_understood(needs: dict[str, Any]) -> None:
    """RFC 7517 §5: ignored keys do not count."""
    with pytest.raises(InvalidClientMetadata):
        read_registration({**URI, **needs, "jwks": {"keys": [UNKNOWN_KEY]}}, "c", ALLOWED)
    keys = {"keys": [UNKNOWN_KEY, *JWKS["keys"]]}
    assert read_registration({**URI, **needs, "jwks": keys}, "c", ALLOWED).jwks == keys
    assert read_registration({**URI, "jwks": {"keys": [UNKNOWN_KEY]}}, "c", ALLOWED)
