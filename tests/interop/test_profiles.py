"""Relying parties that we did not write, in the profiles beside the plain code flow."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec

from shared.oauth.keys import base64url, public_jwk
from tests.flow.op import Op, embedded
from tests.interop.chromium import new_page, sign_in
from tests.interop.listener import listening
from tests.interop.relying_party import HERE, PACKAGES, RelyingParty, conversation
from tests.tools import needs

REDIRECT_URI = "https://rp.example.org/callback"  # no browser of ours goes there
SCOPE = "openid profile email"
LIBRARY = PACKAGES / "oidc-client" / "dist" / "oidc-client.min.js"
KEY = ec.generate_private_key(ec.SECP256R1())
PUBLIC = {**public_jwk(KEY.public_key()), "kid": "signs-requests", "use": "sig", "alg": "ES256"}
PRIVATE = {**PUBLIC, "d": base64url(KEY.private_numbers().private_value.to_bytes(32, "big"))}

OPENID_CLIENT = RelyingParty(
    "openid-client",
    lambda: (needs("node", PACKAGES / "openid-client"), str(HERE / "node" / "openid_client_profiles.mjs")),
    "NODE_EXTRA_CA_CERTS",
    'unexpected "iss"',
    '"nonce"',
)


@pytest.fixture(scope="module")
def every_type(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Op]:
    """A deployment with `OSTIARY_RESPONSE_TYPES=all`."""
    with embedded(tmp_path_factory.mktemp("every-type"), OSTIARY_RESPONSE_TYPES="all") as op:
        yield op


@pytest.fixture(scope="module")
def configuration(every_type: Op) -> dict[str, Any]:
    """What openid-client is given: a client that may do all of it, and signs its requests with ES256."""
    client = every_type.add_client(
        client_name="Every profile",
        redirect_uris=[REDIRECT_URI],
        grant_types=["authorization_code", "implicit"],
        response_types=["code", "id_token", "code id_token"],
        scope=SCOPE,
        jwks={"keys": [PUBLIC]},
        request_object_signing_alg="ES256",
    )
    given = {name: client[name] for name in ("client_id", "client_secret")}
    return {
        "issuer": every_type.issuer,
        "redirect_uri": REDIRECT_URI,
        "scope": SCOPE,
        "signing_key": PRIVATE,
        **given,
    }


@pytest.mark.point(11)
@pytest.mark.parametrize(
    "profile",
    [
        "PAR",
        "JAR",
        "JAR+PAR",
        "JARM",
        "JAR+PAR+JARM",
        "id_token",
        "code id_token",
        "detached signature",
        "code id_token+JAR+PAR",
        "detached signature+JARM",
    ],
)
def test_openid_client_signs_the_user_in(every_type: Op, configuration: dict[str, Any], profile: str) -> None:
    """RFC 9101, RFC 9126, JARM, implicit and hybrid: `iss`, `nonce`, `c_hash`, `s_hash` as it checks."""
    with conversation(OPENID_CLIENT, every_type.ca_file, {**configuration, "profile": profile}) as talk:
        asked = talk.hear()
        assert "error" not in asked, asked
        url = asked["authorization_url"]
        named = profile.split("+")
        assert ("request_uri=" in url) == ("PAR" in named)
        assert ("request=" in url) == ("JAR" in named and "PAR" not in named)
        talk.say(every_type.sign_in(url))
        learned = talk.hear()
    assert "error" not in learned, learned
    assert learned["claims"]["iss"] == every_type.issuer
    if profile == "id_token":  # no access token is issued: the claims of the scope are here
        assert learned["claims"]["preferred_username"] == every_type.username
    else:
        assert learned["userinfo"]["preferred_username"] == every_type.username
        assert learned["userinfo"]["sub"] == learned["claims"]["sub"]


PAGE = """<!doctype html><title>waiting</title><script src="/oidc-client.min.js"></script><script>
const manager = new Oidc.UserManager({
  authority: %(authority)s, client_id: %(client_id)s, redirect_uri: location.origin + '/callback',
  response_type: %(response_type)s, scope: 'openid profile',
  automaticSilentRenew: false, monitorSession: false,
})
const done = (value) => { document.body.textContent = JSON.stringify(value); document.title = 'done' }
const failed = (error) => done({ error: error.message })
if (location.pathname === '/callback') {
  manager.signinRedirectCallback().then(done, failed)
} else {
  manager.signinRedirect().catch(failed)
}
</script><body>"""


@pytest.mark.point(17)
@pytest.mark.parametrize("response_type", ["id_token", "id_token token"])
async def test_oidc_client_takes_an_implicit_answer(
    every_type: Op, response_type: str, tmp_path: Path
) -> None:
    """oidc-client 1.11 in a page of another origin: nonce, `at_hash`, keys and userinfo by XHR."""
    needs("node", LIBRARY)
    values: dict[str, str] = {}

    async def page_of_client(_: web.Request) -> web.Response:
        return web.Response(text=PAGE % values, content_type="text/html")

    async def library(_: web.Request) -> web.FileResponse:
        return web.FileResponse(LIBRARY)

    app = web.Application()
    app.router.add_get("/oidc-client.min.js", library)
    app.router.add_get("/", page_of_client)
    app.router.add_get("/callback", page_of_client)
    async with listening(app) as port, new_page(every_type, tmp_path) as page:
        client = await asyncio.to_thread(
            every_type.add_client,
            client_name="A page",
            redirect_uris=[f"http://localhost:{port}/callback"],
            grant_types=["implicit"],
            response_types=["id_token", "id_token token"],
            scope="openid profile",
            token_endpoint_auth_method="none",
        )
        texts = (every_type.issuer, client["client_id"], response_type)
        values |= zip(("authority", "client_id", "response_type"), map(json.dumps, texts), strict=True)
        await page.goto(f"http://localhost:{port}/")
        await page.wait_for_selector("#login-submit")
        await sign_in(every_type, page)
        await page.wait_for_function("document.title === 'done'")
        user = json.loads(await page.inner_text("body"))
    assert "error" not in user, user
    assert user["profile"]["preferred_username"] == every_type.username
    assert bool(user.get("access_token")) == (response_type == "id_token token")


@pytest.mark.point(5)
@pytest.mark.parametrize("response_mode", ["form_post", "form_post.jwt"])
async def test_chromium_posts_a_hybrid_answer(every_type: Op, response_mode: str, tmp_path: Path) -> None:
    """Form Post Response Mode with script: the page submits itself under our own policy."""
    posted: list[dict[str, str]] = []

    async def callback(request: web.Request) -> web.Response:
        posted.append({name: str(value) for name, value in (await request.post()).items()})
        return web.Response(text="<title>back</title>", content_type="text/html")

    app = web.Application()
    app.router.add_post("/callback", callback)
    async with listening(app) as port, new_page(every_type, tmp_path) as page:
        redirect_uri = f"http://localhost:{port}/callback"
        client = await asyncio.to_thread(
            every_type.add_client,
            client_name="Posted to",
            redirect_uris=[redirect_uri],
            grant_types=["authorization_code", "implicit"],
            response_types=["code id_token token"],
            scope="openid",
        )
        query = (
            f"client_id={client['client_id']}&redirect_uri={redirect_uri}&response_type=code id_token token"
            f"&response_mode={response_mode}&scope=openid&state=s&nonce=n"
        )
        await page.goto(f"{every_type.metadata()['authorization_endpoint']}?{query}")
        await sign_in(every_type, page)
        await page.wait_for_url(redirect_uri)
    assert urlsplit(page.url).query == ""
    members = {"code", "id_token", "access_token", "token_type", "expires_in", "scope", "state", "iss"}
    members.add("session_state")
    assert posted[0].keys() == ({"response"} if response_mode.endswith("jwt") else members)
    assert len(posted) == 1
