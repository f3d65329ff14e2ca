"""One sign-in with the authorization code flow, from the metadata to the user's claims."""

import base64
from urllib.parse import parse_qs, urlencode, urlsplit

from shared.paths import AUTHORIZATION, JWKS, OPENID_CONFIGURATION, TOKEN, USERINFO
from tests.flow.door import Door, send
from tests.flow.user_agent import UserAgent

FORM = "application/x-www-form-urlencoded"


def sign_in_once(
    door: Door, client: tuple[str, str], redirect_uri: str, user: tuple[str, str]
) -> dict[str, str]:
    """Sign in the *user* (name and password) at the *client* (identifier and secret); the userinfo claims."""
    for path in (OPENID_CONFIGURATION, JWKS):
        answer = send(door, "GET", path.path)
        assert answer.status == 200, answer.text
    request = {"client_id": client[0], "response_type": "code", "scope": "openid email"}
    url = f"{AUTHORIZATION}?{urlencode({**request, 'redirect_uri': redirect_uri, 'state': 'a' * 16})}"
    (code,) = parse_qs(urlsplit(UserAgent(door).sign_in(door.origin + url, *user)).query)["code"]
    basic = base64.b64encode(":".join(client).encode()).decode()
    grant = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    headers = {"Authorization": f"Basic {basic}", "Content-Type": FORM}
    tokens = send(door, "POST", TOKEN.path, headers, urlencode(grant).encode())
    assert tokens.status == 200, tokens.text
    assert tokens.json()["id_token"]
    bearer = {"Authorization": f"Bearer {tokens.json()['access_token']}"}
    answer = send(door, "GET", USERINFO.path, bearer)
    assert answer.status == 200, answer.text
    claims: dict[str, str] = answer.json()
    return claims
