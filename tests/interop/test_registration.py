"""Third-party clients register themselves, sign a user in, and sign them out."""

from typing import Any

import pytest

from tests.flow.op import Op
from tests.flow.user_agent import UserAgent, form_with
from tests.interop.relying_party import Program, conversation, node_program, python_program

REDIRECT_URI = "https://rp.example.org/callback"  # no browser of ours goes there
SIGNED_OUT_URI = "https://rp.example.org/signed-out"
METADATA = {
    "client_name": "Not known before",
    "redirect_uris": [REDIRECT_URI],
    "post_logout_redirect_uris": [SIGNED_OUT_URI],
    "token_endpoint_auth_method": "client_secret_basic",
    "scope": "openid profile",
}
PROGRAMS = (
    node_program("openid_client_registration.mjs", "openid-client"),
    python_program("authlib_registration", "Authlib"),
)

every = pytest.mark.parametrize("program", PROGRAMS, ids=lambda each: each.name)


@pytest.fixture
def configuration(op: Op) -> dict[str, Any]:
    """The configuration of a client: the issuer, and an initial access token for one registration."""
    return {
        "issuer": op.issuer,
        "initial_access_token": op.ostiary("client", "invite").strip(),
        "metadata": METADATA,
        "scope": METADATA["scope"],
    }


@every
def test_it_registers_and_signs_the_user_in_and_out(
    op: Op, configuration: dict[str, Any], program: Program
) -> None:
    """RFC 7591, RP-Initiated Logout 1.0: the browser returns with `state`, and the token is invalid."""
    browser = UserAgent(op.door)
    with conversation(program, op.ca_file, configuration) as talk:
        asked = talk.hear()
        assert "error" not in asked, asked
        talk.say(browser.sign_in(asked["authorization_url"], op.username, op.password))
        signed_in = talk.hear()
        assert "error" not in signed_in, signed_in
        returned = browser.visit(signed_in["end_session_url"]).location
        assert returned.startswith(f"{SIGNED_OUT_URI}?state=")
        talk.say(returned)
        learned = talk.hear()
    assert "error" not in learned, learned
    assert learned["registered"].items() >= METADATA.items()
    assert learned["claims"]["aud"] == [learned["registered"]["client_id"]]
    assert learned["before"]["active"] is True
    assert learned["after"] == {"active": False}
    assert form_with(browser.visit(asked["authorization_url"]), "login-submit")


@every
def test_it_registers_once_by_an_invitation(op: Op, configuration: dict[str, Any], program: Program) -> None:
    """RFC 6750 §3.1: a second registration gets 401, before any user is asked."""
    with conversation(program, op.ca_file, configuration) as talk:
        assert "authorization_url" in talk.hear()
    with conversation(program, op.ca_file, configuration) as talk:
        assert "401" in talk.hear()["error"]
