"""Third-party relying parties sign a user in over https, with their default checks.

Each must also refuse tampered responses, which shows that its checks are on.
"""

import re
from pathlib import Path

import pytest

from tests.flow.op import Op
from tests.interop.relying_party import (
    OAUTH4WEBAPI,
    OPENID_CLIENT,
    RELYING_PARTIES,
    RelyingParty,
    conversation,
)
from tests.interop.tampering import impostor, with_parameters

REDIRECT_URI = "https://rp.example.org/callback"  # no browser of ours goes there
SCOPE = "openid profile email offline_access"

every = pytest.mark.parametrize("relying_party", RELYING_PARTIES, ids=lambda each: each.program.name)


@pytest.fixture(scope="module")
def clients(op: Op) -> dict[str, dict[str, str]]:
    """A confidential client for each authentication method, with its id and secret."""
    methods = {relying_party.token_endpoint_auth_method for relying_party in RELYING_PARTIES}
    registered = {
        method: op.add_client(
            client_name="A relying party",
            redirect_uris=[REDIRECT_URI],
            grant_types=["authorization_code", "refresh_token"],
            scope=SCOPE,
            token_endpoint_auth_method=method,
        )
        for method in methods
    }
    return {
        method: {name: client[name] for name in ("client_id", "client_secret")}
        for method, client in registered.items()
    }


@pytest.fixture
def configuration(op: Op, clients: dict[str, dict[str, str]], relying_party: RelyingParty) -> dict[str, str]:
    """The configuration of a relying party."""
    client = clients[relying_party.token_endpoint_auth_method]
    return {"issuer": op.issuer, "redirect_uri": REDIRECT_URI, "scope": SCOPE, **client}


@every
def test_it_signs_the_user_in(op: Op, configuration: dict[str, str], relying_party: RelyingParty) -> None:
    """Discovery, code, ID token, userinfo, refresh, introspection, revocation."""
    with conversation(relying_party.program, op.ca_file, configuration) as talk:
        talk.say(op.sign_in(talk.hear()["authorization_url"]))
        learned = talk.hear()
    assert "error" not in learned
    assert learned["claims"]["iss"] == op.issuer
    assert learned["userinfo"]["sub"] == learned["refreshed_sub"] == learned["claims"]["sub"]
    assert learned["userinfo"]["preferred_username"] == op.username
    assert learned["introspection"]["active"] is True
    assert learned["revoked"] == {"active": False}


@every
def test_it_refuses_the_answer_of_another_issuer(
    op: Op, configuration: dict[str, str], relying_party: RelyingParty, tmp_path: Path
) -> None:
    """The response is from another issuer (RFC 9207, OpenID Connect Core 1.0 §3.1.3.7 point 2)."""
    with (
        impostor(op.metadata(), op.ca_file, tmp_path) as (issuer, trusted),
        conversation(relying_party.program, trusted, {**configuration, "issuer": issuer}) as talk,
    ):
        talk.say(op.sign_in(talk.hear()["authorization_url"]))
        assert re.search(relying_party.refuses_issuer, talk.hear()["error"])


@every
def test_it_refuses_another_nonce(op: Op, configuration: dict[str, str], relying_party: RelyingParty) -> None:
    """The ID token was made for another request (OpenID Connect Core 1.0 §3.1.3.7 point 11)."""
    with conversation(relying_party.program, op.ca_file, configuration) as talk:
        url = talk.hear()["authorization_url"]
        talk.say(op.sign_in(with_parameters(url, nonce="a-nonce-of-somebody-else")))
        assert re.search(relying_party.refuses_nonce, talk.hear()["error"])


@pytest.mark.parametrize("relying_party", [OPENID_CLIENT, OAUTH4WEBAPI], ids=lambda each: each.program.name)
def test_it_refuses_another_iss_beside_the_code(
    op: Op, configuration: dict[str, str], relying_party: RelyingParty
) -> None:
    """The metadata promise `iss` in every response, and clients that know RFC 9207 require it."""
    with conversation(relying_party.program, op.ca_file, configuration) as talk:
        talk.say(
            with_parameters(op.sign_in(talk.hear()["authorization_url"]), iss="https://evil.example/oidc")
        )
        assert re.search(relying_party.refuses_issuer, talk.hear()["error"])
