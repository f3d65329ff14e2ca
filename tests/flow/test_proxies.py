"""A user's complete flow by plain HTTP forms: behind Caddy, behind nginx, and without a proxy."""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode, urlsplit

import pytest

from tests.flow.door import HttpResponse, send
from tests.flow.op import Op
from tests.flow.user_agent import UserAgent, form_with

REDIRECT_URI = "https://rp.example.org/callback"
SIGNED_OUT_URI = "https://rp.example.org/signed-out"
SCOPE = "openid profile email offline_access"


@dataclass(frozen=True, slots=True)
class Rp:
    """A relying party of a few lines, and the browser in front of it."""

    op: Op
    client_id: str
    client_secret: str
    agent: UserAgent
    verifier: str
    endpoints: dict[str, str]

    def authorization_url(self, **parameters: str) -> str:
        """The URL of an authorization request."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(self.verifier.encode()).digest()).rstrip(b"=")
        query = {
            "client_id": self.client_id,
            "redirect_uri": REDIRECT_URI,
            "response_type": "code",
            "scope": SCOPE,
            "state": "a state / with & everything=?",
            "nonce": "n-0S6_WzA2Mj",
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
            **parameters,
        }
        return f"{self.endpoints['authorization_endpoint']}?{urlencode(query)}"

    def code(self) -> str:
        """Sign in, answer the pages, and return the code."""
        callback = self.agent.sign_in(self.authorization_url(), self.op.username, self.op.password)
        assert callback.startswith(f"{REDIRECT_URI}?")
        answered = dict(parse_qsl(urlsplit(callback).query, strict_parsing=True))
        code = answered.pop("code")
        assert answered.pop("session_state")
        assert answered == {"state": "a state / with & everything=?", "iss": self.op.issuer}
        return code

    def post(self, endpoint: str, **form: str) -> HttpResponse:
        """A form to an endpoint, by its name in the metadata."""
        pair = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret)}"
        headers = {
            "Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        target = self.endpoints[endpoint].removeprefix(self.op.door.origin)
        return send(self.op.door, "POST", target, headers, urlencode(form).encode())

    def tokens(self, **form: str) -> dict[str, str]:
        """The successful response of the token endpoint."""
        answer = self.post("token_endpoint", **form)
        assert answer.status == 200, answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        tokens: dict[str, str] = answer.json()
        return tokens

    def redeem(self, code: str) -> HttpResponse:
        """The answer to a code."""
        form = {"code": code, "redirect_uri": REDIRECT_URI, "code_verifier": self.verifier}
        return self.post("token_endpoint", grant_type="authorization_code", **form)

    def userinfo(self, access_token: str) -> HttpResponse:
        """The answer of the userinfo endpoint."""
        target = self.endpoints["userinfo_endpoint"].removeprefix(self.op.door.origin)
        return send(self.op.door, "GET", target, {"Authorization": f"Bearer {access_token}"})

    def is_active(self, token: str) -> bool:
        """What introspection says."""
        answer = self.post("introspection_endpoint", token=token)
        assert answer.status == 200, answer.text
        active: bool = answer.json()["active"]
        return active


@pytest.fixture(scope="module")
def clients() -> dict[str, dict[str, Any]]:
    """The client at each issuer."""
    return {}


@pytest.fixture
def rp(any_op: Op, clients: dict[str, dict[str, Any]]) -> Rp:
    """A confidential client with a fresh browser."""
    if any_op.issuer not in clients:
        clients[any_op.issuer] = any_op.add_client(
            client_name="Plain forms",
            redirect_uris=[REDIRECT_URI],
            post_logout_redirect_uris=[SIGNED_OUT_URI],
            grant_types=["authorization_code", "refresh_token"],
            scope=SCOPE,
        )
    client = clients[any_op.issuer]
    agent = UserAgent(any_op.door)
    verifier = secrets.token_urlsafe(48)
    return Rp(any_op, client["client_id"], client["client_secret"], agent, verifier, any_op.metadata())


@pytest.mark.point(16, 22)
def test_the_whole_way(rp: Rp) -> None:
    """Sign in, consent, code, tokens, userinfo, refresh, introspection, revocation, logout."""
    answer = rp.redeem(rp.code())
    assert answer.status == 200, answer.text
    tokens = answer.json()
    userinfo = rp.userinfo(tokens["access_token"])
    assert (userinfo.status, userinfo.json()["preferred_username"]) == (200, rp.op.username)

    refreshed = rp.tokens(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert refreshed["refresh_token"] != tokens["refresh_token"]
    assert rp.is_active(refreshed["access_token"])

    assert rp.post("revocation_endpoint", token=refreshed["refresh_token"]).status == 200
    assert not rp.is_active(refreshed["access_token"])
    assert rp.userinfo(refreshed["access_token"]).status == 401
    again = rp.post("token_endpoint", grant_type="refresh_token", refresh_token=refreshed["refresh_token"])
    assert (again.status, again.json()["error"]) == (400, "invalid_grant")

    hint = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": SIGNED_OUT_URI, "state": "bye"}
    page = rp.agent.visit(f"{rp.endpoints['end_session_endpoint']}?{urlencode(hint)}")
    assert page.location == f"{SIGNED_OUT_URI}?state=bye"
    silent = rp.agent.visit(rp.authorization_url(prompt="none"))
    assert "error=login_required" in silent.location


def test_a_second_code_takes_no_second_login(rp: Rp) -> None:
    """The session is valid in every process."""
    rp.code()
    silent = rp.agent.visit(rp.authorization_url(prompt="none"))
    assert silent.location.startswith(f"{REDIRECT_URI}?")
    assert "code=" in silent.location


def test_a_code_is_good_once_whichever_process_is_asked(rp: Rp) -> None:
    """A second use is refused and revokes the tokens of the first."""
    code = rp.code()
    first = rp.redeem(code)
    assert first.status == 200, first.text
    for _ in range(3):
        replay = rp.redeem(code)
        assert (replay.status, replay.json()["error"]) == (400, "invalid_grant")
    assert not rp.is_active(first.json()["access_token"])
    assert rp.userinfo(first.json()["access_token"]).status == 401


def test_an_access_token_is_known_to_every_process(rp: Rp) -> None:
    """Every process opens an access token that any process sealed."""
    access_token = rp.redeem(rp.code()).json()["access_token"]
    assert [rp.userinfo(access_token).status for _ in range(4)] == [200] * 4


def test_a_wrong_password_signs_nobody_in(rp: Rp) -> None:
    """The login page is shown again, without the typed password."""
    page = rp.agent.visit(rp.authorization_url())
    page = rp.agent.press(page, "login-submit", username=rp.op.username, password="wrong-" + rp.verifier)
    assert form_with(page, "login-submit"), page.text
    assert rp.verifier not in page.text
    assert "error=login_required" in rp.agent.visit(rp.authorization_url(prompt="none")).location
