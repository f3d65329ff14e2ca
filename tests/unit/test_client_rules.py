"""Validation of client metadata, and defaults."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from shared.oauth.client.faults import Capabilities
from shared.oauth.client.metadata.members import from_metadata, to_metadata
from shared.oauth.client.record import Client, ClientSecret
from shared.oauth.client.rules import read_operators, read_registration
from shared.oauth.client.secret import new_secret
from shared.oauth.errors import InvalidClientMetadata, InvalidRedirectUri, OAuthError
from shared.oauth.tokens.keys import public_jwk

ALLOWED = Capabilities(response_types=("code",), signing_algorithms=("RS256", "ES256", "EdDSA"))
EVERYTHING = replace(ALLOWED, response_types=("code", "id_token", "code id_token token"))
JWKS = {"keys": [public_jwk(ec.generate_private_key(ec.SECP256R1()).public_key())]}
URI = {"redirect_uris": ["https://rp.test/cb"]}
OWN = {
    "skip_consent": True,
    "resource_identifiers": ["https://api.test"],
    "audience": ["https://api.test"],
    "require_pkce": False,
    "access_token_lifetime": 86_400,
    "client_id": "chosen",
    "client_secret": "chosen-secret",
    "profile": "cells-legacy",
}


def operators(members: dict[str, Any], allowed: Capabilities = ALLOWED) -> Client:
    """The client, as `client add` reads it."""
    return read_operators(members, "fresh", allowed).client


def registered(members: dict[str, Any], allowed: Capabilities = ALLOWED) -> Client:
    """The client, as the registration endpoint reads it."""
    return read_registration(members, "fresh", allowed)


def test_what_is_left_open_has_the_defaults_of_the_standards() -> None:
    """RFC 7591 §2, OpenID Connect Registration 1.0 §2."""
    client = operators(URI)
    assert client.client_id == "fresh"
    assert client.grant_types == ("authorization_code",)
    assert client.response_types == ("code",)
    assert client.token_endpoint_auth_method == "client_secret_basic"
    assert client.application_type == "web"
    assert client.id_token_signed_response_alg == "RS256"
    assert (client.require_pkce, client.remember_consent) == (False, True)


def test_a_public_client_needs_pkce_and_asks_for_consent_each_time() -> None:
    """RFC 9700 §2.1.1, RFC 8252 §8.6."""
    client = registered({**URI, "token_endpoint_auth_method": "none"})
    assert (client.require_pkce, client.remember_consent) == (True, False)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"token_endpoint_auth_method": "none", "redirect_uris": ["http://127.0.0.1/cb"]}, "native"),
        ({"token_endpoint_auth_method": "none", "redirect_uris": ["cellsauth://callback"]}, "native"),
        ({"token_endpoint_auth_method": "none", **URI}, "web"),
        ({"redirect_uris": ["http://127.0.0.1/cb"]}, "web"),
    ],
)
def test_a_public_client_on_a_device_is_native(members: dict[str, Any], expected: str) -> None:
    """The default application type is web, unless the redirect URIs need a device."""
    assert registered(members).application_type == expected


def test_operators_may_say_everything() -> None:
    """Members for operators reach the record."""
    read = read_operators({**URI, **OWN}, "fresh", ALLOWED)
    assert read.client_secret == "chosen-secret"
    assert read.client.client_id == "chosen"
    assert read.client.skip_consent
    assert read.client.resource_identifiers == ("https://api.test",)
    assert read.client.access_token_lifetime == timedelta(days=1)
    assert read.client.claims_mapping == {"name": "username"}


def test_a_stranger_gets_none_of_what_operators_may_say() -> None:
    """Members beyond the standards are ignored: RFC 7591 §2."""
    assert registered({**URI, **OWN, "unknown": 1}) == registered(URI)


def test_an_update_keeps_what_operators_said() -> None:
    """RFC 7592 §2.2: an omitted member goes back to its default, an operator's stays."""
    current = replace(
        operators({**URI, "client_name": "Old", "skip_consent": True, "audience": ["a"]}),
        secrets=(ClientSecret(b"x" * 32),),
        version=7,
        is_dynamically_registered=True,
    )
    changed = read_registration({**URI, "skip_consent": False, "audience": ["b"]}, "fresh", ALLOWED, current)
    assert (changed.skip_consent, changed.audience, changed.client_name) == (True, ("a",), "")
    assert (changed.secrets, changed.version) == (current.secrets, 7)
    public = read_registration({**URI, "token_endpoint_auth_method": "none"}, "fresh", ALLOWED, current)
    assert public.secrets == ()


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_jwt", "private_key_jwt"])
def test_a_secret_is_readable_only_while_the_client_signs_with_it(method: str) -> None:
    """A change of method keeps a usable secret, and drops its value when the hash is enough."""
    signing = operators({**URI, "token_endpoint_auth_method": "client_secret_jwt"})
    secret = new_secret(signing, "x" * 43)
    current = replace(signing, secrets=(secret, ClientSecret(b"a hash alone")))
    members = {**URI, "token_endpoint_auth_method": method, "jwks": JWKS}
    changed = read_registration(members, "fresh", ALLOWED, current)
    assert (
        changed.secrets
        == {
            "client_secret_basic": (replace(secret, value=None), ClientSecret(b"a hash alone")),
            "client_secret_jwt": (secret,),
            "private_key_jwt": (),
        }[method]
    )
    assert secret.value == "x" * 43
    assert new_secret(operators(URI), "x" * 43).value is None


def test_a_chosen_secret_that_signs_is_long() -> None:
    """RFC 7518 §3.2."""
    members = {**URI, "token_endpoint_auth_method": "client_secret_jwt"}
    operators({**members, "client_secret": "x" * 32})
    with pytest.raises(InvalidClientMetadata):
        operators({**members, "client_secret": "x" * 31})


@pytest.mark.parametrize("profile", ["default", "cells-legacy", "fapi2"])
def test_a_profile_fills_fields_and_explicit_ones_win(profile: str) -> None:
    """Code asks the field, never the profile."""
    jwks = {"keys": [public_jwk(ec.generate_private_key(ec.SECP256R1()).public_key())]}
    members = {**URI, "jwks": jwks, "profile": profile}
    filled = operators(members)
    pkce = {"default": False, "cells-legacy": True, "fapi2": True}[profile]
    assert filled.require_pkce == (profile == "fapi2")
    assert filled.refresh_token_rotation == (profile != "fapi2")
    opposite = operators({**members, "require_pkce": not filled.require_pkce, "refresh_token_rotation": True})
    assert opposite.require_pkce != filled.require_pkce
    assert opposite.refresh_token_rotation
    assert filled.is_public == (pkce and profile == "cells-legacy")


@pytest.mark.parametrize(
    "members",
    [
        {**URI, "userinfo_signed_response_alg": "none"},
        {**URI, "userinfo_signed_response_alg": "HS256"},
        {**URI, "introspection_signed_response_alg": "RS512"},
        {**URI, "jwks": JWKS, "id_token_encrypted_response_alg": "RSA1_5"},
        {**URI, "jwks": JWKS, "id_token_encrypted_response_alg": "dir"},
        {**URI, "jwks": JWKS, "id_token_encrypted_response_alg": "RSA-OAEP"},
        {**URI, "id_token_encrypted_response_alg": "ECDH-ES"},
        {**URI, "jwks": JWKS, "userinfo_encrypted_response_enc": "A128GCM"},
        {
            **URI,
            "jwks": JWKS,
            "userinfo_encrypted_response_alg": "ECDH-ES",
            "userinfo_encrypted_response_enc": "A1GCM",
        },
        {**URI, "jwks_uri": "http://rp.test/jwks"},
        {**URI, "jwks_uri": "https://10.0.0.1/jwks"},
        {**URI, "jwks_uri": "https://user@rp.test/jwks"},
        {**URI, "jwks_uri": "https://rp.test:6379/jwks"},
        {**URI, "jwks_uri": "https://rp.test/jwks", "jwks": JWKS},
        {
            **URI,
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": JWKS,
            "token_endpoint_auth_signing_alg": "HS256",
        },
        {
            **URI,
            "token_endpoint_auth_method": "client_secret_jwt",
            "token_endpoint_auth_signing_alg": "ES256",
        },
        {**URI, "sector_identifier_uri": "https://127.0.0.1/sector"},
        {**URI, "request_uris": ["http://rp.test/request"]},
        {**URI, "request_uris": ["https://10.0.0.1/request"]},
        {**URI, "request_object_signing_alg": "none"},
        {**URI, "request_object_signing_alg": "HS256"},
        {**URI, "authorization_signed_response_alg": "none"},
        {**URI, "backchannel_logout_uri": "http://127.0.0.1/x"},
        {**URI, "id_token_encrypted_response_alg": "RSA-OAEP"},
        {**URI, "subject_type": "both"},
        {"redirect_uris": ["https://a.test/cb", "https://b.test/cb"], "subject_type": "pairwise"},
        {**URI, "grant_types": ["password"]},
        {**URI, "grant_types": ["implicit"]},
        {**URI, "grant_types": ["refresh_token"]},
        {**URI, "grant_types": "authorization_code"},
        {**URI, "response_types": ["token"]},
        {**URI, "response_types": ["code"], "grant_types": ["client_credentials"]},
        {**URI, "response_types": [], "grant_types": ["authorization_code"]},
        {**URI, "token_endpoint_auth_method": "tls_client_auth"},
        {**URI, "token_endpoint_auth_method": "private_key_jwt"},
        {**URI, "token_endpoint_auth_method": "none", "grant_types": ["client_credentials"]},
        {**URI, "token_endpoint_auth_signing_alg": "none"},
        {**URI, "id_token_signed_response_alg": "none"},
        {**URI, "id_token_signed_response_alg": "HS256"},
        {**URI, "scope": "a\nb"},
        {**URI, "scope": 'a"b'},
        {**URI, "scope": ["openid"]},
        {**URI, "scope": "unheard-of"},
        {**URI, "client_name": "x" * 1000},
        {**URI, "client_name": "a\nb"},
        {**URI, "client_name": 1},
        {**URI, "default_max_age": -1},
        {**URI, "default_max_age": True},
        {**URI, "require_auth_time": "true"},
        {**URI, "initiate_login_uri": "http://rp.test/"},
        {**URI, "logo_uri": "javascript:alert(1)"},
        {**URI, "policy_uri": "http://rp.test/"},
        {**URI, "post_logout_redirect_uris": ["javascript:alert(1)"]},
        {**URI, "contacts": [{"a": 1}]},
        {**URI, "jwks": {"keys": []}},
        {**URI, "jwks": []},
        {**URI, "application_type": "desktop"},
    ],
)
def test_metadata_that_do_not_hold_are_refused(members: dict[str, Any]) -> None:
    """RFC 7591 §3.2.2."""
    with pytest.raises(InvalidClientMetadata):
        registered(members)


@pytest.mark.parametrize(
    "redirect_uris",
    [None, [], "https://rp.test/cb", {}, {"0": "x"}, [None], [1], [["https://rp.test/cb"]], ["http://evil"],
     ["https://rp.test/cb", "javascript:x"], ["https://rp.test/cb"] * 10_000],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_redirect_uris_that_do_not_hold_have_their_own_error(redirect_uris: Any) -> None:
    """Empty, null, nested, too many, or one bad among good ones."""
    for read in (registered, operators):
        with pytest.raises(InvalidRedirectUri):
            read({"redirect_uris": redirect_uris})


@pytest.mark.parametrize("uri", ["https://[::1", "https://[x]/", "https://℀.test/", "//x", ""])
def test_pairwise_subjects_of_what_is_no_uri(uri: str) -> None:
    """A malformed redirect URI has no host to compare, and is reported as the fault."""
    with pytest.raises(InvalidRedirectUri):
        registered({"redirect_uris": [uri], "subject_type": "pairwise"})


def test_every_fault_is_named_with_its_path() -> None:
    """All faults are reported at once."""
    with pytest.raises(OAuthError) as caught:
        operators({"redirect_uris": ["https://ok.test/", "http://evil/"], "foo": 1, "tos_uri": "x"})
    description = caught.value.description
    assert description
    assert all(path in description for path in ("redirect_uris.1", "foo", "tos_uri"))


@pytest.mark.parametrize("name", ["access_token_lifetime", "id_token_lifetime", "refresh_token_lifetime"])
def test_a_lifetime_above_its_cap_is_refused(name: str) -> None:
    """Lifetimes above the caps are refused: revocation and key rotation rely on the caps."""
    with pytest.raises(InvalidClientMetadata):
        operators({**URI, name: 366 * 86_400})


def test_response_and_grant_types_follow_from_each_other() -> None:
    """RFC 7591 §2.1: response types and grant types must fit each other."""
    machine = operators({"grant_types": ["client_credentials"]})
    assert (machine.response_types, machine.redirect_uris) == ((), ())
    hybrid = operators({**URI, "response_types": ["id_token token code"]}, EVERYTHING)
    assert hybrid.response_types == ("code id_token token",)
    assert set(hybrid.grant_types) == {"authorization_code", "implicit"}


def test_where_anybody_may_register_nobody_gets_tokens_without_a_user() -> None:
    """Open registration does not give client_credentials."""
    closed = replace(ALLOWED, client_credentials=False)
    with pytest.raises(InvalidClientMetadata):
        registered({"grant_types": ["client_credentials"]}, closed)


def test_metadata_and_record_say_the_same() -> None:
    """A stored record is read back unchanged."""
    client = operators({**URI, **OWN, "default_max_age": 0, "allowed_cors_origins": []})
    assert from_metadata(client.client_id, to_metadata(client)) == client


WEAK = {
    "small": {
        "kty": "RSA",
        "e": "AQAB",
        "n": public_jwk(rsa.generate_private_key(65537, 1024).public_key())["n"],
    },
    "exponent": {**public_jwk(rsa.generate_private_key(65537, 2048).public_key()), "e": "Aw"},
    "huge": {"kty": "RSA", "e": "AQAB", "n": "_" * 5000},
    "off the curve": {"kty": "EC", "crv": "P-256", "x": "AQ", "y": "AQ"},
    "a list as curve": {"kty": "EC", "crv": ["P-256"], "x": "AQ", "y": "AQ"},
    "an object as curve": {"kty": "EC", "crv": {}, "x": "AQ", "y": "AQ"},
    "an object as type": {"kty": {}, "x": "AQ"},
    "symmetric": {"kty": "oct", "k": "AQAB"},
    "private": {**public_jwk(ec.generate_private_key(ec.SECP256R1()).public_key()), "d": "AQ"},
    "padding": {"kty": "OKP", "crv": "Ed25519", "x": "AQ=="},
    "short": {"kty": "OKP", "crv": "Ed25519", "x": "AQ"},
    "no object": "x",
    "wrong alg": {**public_jwk(ec.generate_private_key(ec.SECP256R1()).public_key()), "alg": "RS256"},
    "kid": {**public_jwk(ec.generate_private_key(ec.SECP256R1()).public_key()), "kid": 1},
}


@pytest.mark.parametrize("jwk", WEAK.values(), ids=WEAK)
def test_a_weak_or_private_key_is_refused(jwk: Any) -> None:
    """The faulty key is named by its path."""
    good = public_jwk(ec.generate_private_key(ec.SECP256R1()).public_key())
    with pytest.raises(InvalidClientMetadata, match=r"jwks\.keys\.1"):
        registered({**URI, "jwks": {"keys": [good, jwk]}})
    registered({**URI, "jwks": {"keys": [good]}})
