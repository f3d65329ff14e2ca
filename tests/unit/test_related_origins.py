"""The domain of passkeys, and the origins elsewhere that use them: WebAuthn Level 3 §5.11."""

import json
from uuid import uuid4

import pytest

from shared.config.environment import read_settings
from shared.config.related_origins import registrable_label
from shared.config.settings import Settings, SettingsError
from shared.identity.passkeys.options import creation_options, request_options
from shared.identity.passkeys.passkey import RelyingParty
from shared.identity.passkeys.response import PasskeyRefused, UnverifiedResponse
from shared.identity.passkeys.verification import new_passkey, use_of
from shared.operations.doctor.http import HttpResponse
from shared.operations.doctor.related_origins import related_origins_finding
from tests.authenticator import Authenticator
from tests.planted import planted
from tests.planted.passkeys import compares_the_end_of_an_origin

ISSUER = "https://id.example.com/oidc"
OLD = "old.example.net"
RELATED = "https://login.example.org"
RELYING_PARTY = RelyingParty.of("https://id.example.com", OLD, (RELATED,))
DOCUMENT_URL = f"https://{OLD}/.well-known/webauthn"


@pytest.mark.parametrize("origin", ["https://id.example.com", RELATED])
def test_each_origin_makes_and_uses_passkeys(origin: str) -> None:
    """Those of the domain that is set."""
    authenticator = Authenticator(origin, OLD)
    passkey = new_passkey(_made(authenticator), RELYING_PARTY)
    assert passkey.rp_id == OLD
    asked = request_options(RELYING_PARTY, b"c" * 40, [passkey])
    assert asked["rpId"] == OLD
    used = UnverifiedResponse.read(authenticator.get(asked))
    assert use_of(passkey, used, RELYING_PARTY).is_user_verified


def _made(authenticator: Authenticator) -> UnverifiedResponse:
    options = creation_options(RELYING_PARTY, b"c" * 40, uuid4(), "ada")
    return UnverifiedResponse.read(authenticator.create(options))


@planted(compares_the_end_of_an_origin)
def test_no_other_origin_does() -> None:
    """Exactly those that are listed: neither below them, nor with another port, scheme or ending."""
    for origin in (
        "https://evil.login.example.org",
        "https://evil-login.example.org",
        "https://login.example.org:8443",
        "https://login.example.org.evil.test",
        "http://login.example.org",
        f"https://{OLD}",
    ):
        with pytest.raises(PasskeyRefused):
            new_passkey(_made(Authenticator(origin, OLD)), RELYING_PARTY)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PASSKEY_RP_ID", "https://example.org"),
        ("PASSKEY_RP_ID", "Example.org"),
        ("PASSKEY_RP_ID", "example.org:443"),
        ("PASSKEY_RP_ID", "192.0.2.1"),
        ("PASSKEY_ORIGINS", "http://login.example.org"),
        ("PASSKEY_ORIGINS", "https://login.example.org/"),
        ("PASSKEY_ORIGINS", "https://login.example.org:443"),
        ("PASSKEY_ORIGINS", "https://LOGIN.example.org"),
        ("PASSKEY_ORIGINS", "https://192.0.2.1"),
        ("PASSKEY_ORIGINS", "https://*.example.org"),
        ("PASSKEY_ORIGINS", ",".join(f"https://{name}.example" for name in "abcdef")),
    ],
)
def test_what_browsers_would_not_take_is_refused(name: str, value: str) -> None:
    """When the process starts, by the name of the setting."""
    with pytest.raises(SettingsError, match=f"OSTIARY_{name}: "):
        read_settings({f"OSTIARY_{name}": value})


def test_countries_of_one_name_count_once() -> None:
    """Browsers count the names that somebody has registered."""
    domains = ("example.com", "example.de", "example.co.uk", "a.example.fr", "b.example.fr", "example.com.au")
    origins = ",".join(f"https://{domain}" for domain in domains)
    assert len(read_settings({"OSTIARY_PASSKEY_ORIGINS": origins}).passkey_origins) == 6
    assert {registrable_label(domain) for domain in domains} == {"example"}
    assert registrable_label("localhost") == "localhost"


def test_passkeys_belong_to_the_host_of_the_issuer_by_default() -> None:
    """No other origin is related then."""
    usual = Settings(issuer=ISSUER)
    assert (usual.rp_id, usual.related_origins) == ("id.example.com", ())
    parent = Settings(issuer=ISSUER, passkey_rp_id="example.com")
    assert (parent.rp_id, parent.related_origins) == ("example.com", ())
    alike = Settings(issuer=ISSUER, passkey_rp_id="d.example.com")
    assert alike.related_origins == ("https://id.example.com",)


@pytest.mark.parametrize(
    ("status", "kind", "body", "said"),
    [
        (200, "application/json", json.dumps({"origins": [RELATED, "https://id.example.com"]}), None),
        (200, "application/json", json.dumps({"origins": [RELATED]}), "does not list https://id.example.com"),
        (200, "application/json", json.dumps({"origins": RELATED}), "does not list"),
        (200, "application/json", "{}", "does not list"),
        (200, "application/json", "[", "is not the document"),
        (200, "text/html", "<p>", "map the path"),
        (404, "application/json", "{}", "answers 404"),
        (302, "application/json", "{}", "answers 302"),
    ],
)
def test_the_doctor_reads_what_browsers_read(status: int, kind: str, body: str, said: str | None) -> None:
    """The document at the domain of the passkeys, which lists every origin."""
    answer = HttpResponse(DOCUMENT_URL, status, kind, body.encode())
    finding = related_origins_finding((RELATED, "https://id.example.com"), answer)
    assert finding.is_good is (said is None)
    assert (said or "lists") in finding.sentence
