"""Every kind of token and handle is accepted only where it belongs."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import jwt
from aiohttp import web
from aiohttp.test_utils import TestClient
from cryptography.hazmat.primitives.asymmetric import ec

from services.client_registry.app import mount as client_registry
from services.token.endpoints.device_authorization import LIFETIME
from shared.live.randomness import new_handle
from shared.model import DeviceCode, User
from shared.oauth.client.record import Client
from shared.oauth.supported import DEVICE_CODE
from shared.oauth.tokens.handle import Kind, digest
from shared.oauth.tokens.keys import public_jwk
from shared.paths import (
    ADMIN_CLIENTS,
    AUTHORIZATION,
    DEVICE,
    END_SESSION,
    INTROSPECTION,
    PUSHED_AUTHORIZATION_REQUEST,
)
from shared.server.app import application
from tests.authorization import LOCAL_ISSUER, Browser, a_request, is_consent, is_login
from tests.builders import SECRET
from tests.deployment import basic, bearer
from tests.front_channel import Services
from tests.personal_access_tokens import a_token
from tests.registry import Registry
from tests.served import Served

KEY = ec.generate_private_key(ec.SECP256R1())
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

Present = Callable[[str], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Stage:
    """A deployment with a client of each kind that is needed, and a browser that is signed in."""

    provider: Services
    registry: Registry
    client: Client  # a confidential one
    signing: Client  # one that signs assertions and request objects
    jwt_client: Client  # one whose access tokens are JWTs
    registered: Mapping[str, Any]  # one that registered itself
    browser: Browser
    stranger: Browser  # to whom the interaction belongs
    session_cookie: str  # its name
    user: User

    # Places. Each tells whether what is presented was taken for something.

    async def _error(self, client: Client, **form: str) -> str:
        response = await self.provider.tokens.token(client, form)
        return "" if response.status == 200 else str((await response.json())["error"])

    async def code(self, value: str) -> bool:
        response = await self.provider.tokens.redeem(self.client, value)
        return response.status == 200

    async def refresh_token(self, value: str) -> bool:
        response = await self.provider.tokens.refresh(self.client, value)
        return response.status == 200

    async def device_code(self, value: str) -> bool:
        error = await self._error(self.client, grant_type=DEVICE_CODE, device_code=value)
        return error == "authorization_pending"

    async def userinfo(self, value: str) -> bool:
        return (await self.provider.tokens.userinfo(value)).status == 200

    async def introspection(self, value: str) -> bool:
        askers = (self.client, self.jwt_client)
        return any([(await self.provider.tokens.introspect(asker, value))["active"] for asker in askers])

    async def client_secret(self, value: str) -> bool:
        form = {"token": "x"}
        headers = basic(self.client.client_id, value)
        return (await self.provider.tokens.post(INTROSPECTION.path, form, headers=headers)).status == 200

    async def client_assertion(self, value: str) -> bool:
        form = {"client_assertion_type": ASSERTION, "client_assertion": value, "token": "x"}
        return (await self.provider.tokens.post(INTROSPECTION.path, form)).status == 200

    async def registration(self, value: str) -> bool:
        return (await self.registry.post({"redirect_uris": ["https://rp.test/cb"]}, value)).status == 201

    async def configuration(self, value: str) -> bool:
        client_ids = (self.registered["client_id"], self.client.client_id)
        return any([(await self.registry.ask("GET", each, value)).status == 200 for each in client_ids])

    async def administration(self, value: str) -> bool:
        return (await self.registry.http.get(ADMIN_CLIENTS.path, headers=bearer(value))).status == 200

    async def hint(self, value: str) -> bool:
        page = await self.browser.authorize(self.client, prompt="none", id_token_hint=value)
        return "code" in page.answer

    async def logout_hint(self, value: str) -> bool:
        page = await self.browser.get(END_SESSION.path, {"id_token_hint": value})
        return 'id="logout-confirm"' not in page.text

    async def request_object(self, value: str) -> bool:
        request = {"client_id": self.signing.client_id, "request": value}
        return is_login(await self.provider.op.browser().get(AUTHORIZATION.path, request))

    async def request_uri(self, value: str) -> bool:
        for prefix in ("", "urn:ietf:params:oauth:request_uri:"):
            request = {"client_id": self.client.client_id, "request_uri": prefix + value}
            if is_login(await self.provider.op.browser().get(AUTHORIZATION.path, request)):
                return True
        return False

    async def interaction(self, value: str) -> bool:
        return is_login(await self.stranger.get(AUTHORIZATION.path, {"interaction": value}))

    async def session(self, value: str) -> bool:
        thief = self.provider.op.browser(has_jar=False)
        thief.headers = {"Cookie": f"{self.session_cookie}={value}"}
        return "code" in (await thief.authorize(self.client, prompt="none")).answer

    async def user_code(self, value: str) -> bool:
        return is_consent(await self.browser.post(DEVICE.path, {"step": "code", "user_code": value}))

    def places(self) -> dict[str, tuple[Present, set[str]]]:
        """The places, each with the kinds that it accepts."""
        return {
            "code": (self.code, {"code"}),
            "refresh_token": (self.refresh_token, {"refresh token"}),
            "device_code": (self.device_code, {"device code"}),
            "userinfo": (self.userinfo, {"access token", "JWT access token", "personal access token"}),
            "introspection": (
                self.introspection,
                {
                    *("access token", "JWT access token", "client's own access token", "refresh token"),
                    "personal access token",
                },
            ),
            "client_secret": (self.client_secret, {"client secret"}),
            "client_assertion": (self.client_assertion, {"client assertion"}),
            "registration": (self.registration, {"initial access token"}),
            "configuration": (self.configuration, {"registration access token"}),
            "administration": (self.administration, set()),
            "request": (self.request_object, {"request object"}),
            "request_uri": (self.request_uri, {"request_uri", "handle of the request_uri"}),
            "interaction": (self.interaction, {"interaction"}),
            "session": (self.session, {"session"}),
            "user_code": (self.user_code, {"user code"}),
            "id_token_hint": (self.hint, {"ID token"}),
            "id_token_hint at logout": (self.logout_hint, {"ID token"}),
        }

    # What is presented.

    def _signed(self, **claims: Any) -> str:
        now, client_id = int(time.time()), self.signing.client_id
        common = {"iss": client_id, "aud": LOCAL_ISSUER, "iat": now, "exp": now + 60, "jti": uuid4().hex}
        return jwt.encode({**common, **claims}, KEY, "ES256")

    async def _device_codes(self) -> tuple[str, str]:
        device_code, user_code = new_handle(Kind.DEVICE_CODE), "WDJB-MJHT"
        code = DeviceCode(
            client_id=self.client.client_id,
            scope=("openid",),
            user_code=user_code,
            expires_at=(await self._a_code())[1],
            client_epoch=self.client.epoch,
        )
        await self.provider.world.stores.device_codes.add(digest(device_code), code, LIFETIME, 10)
        return device_code, user_code

    async def _a_code(self) -> tuple[str, Any]:
        page = await self.browser.authorize(self.client, prompt="none")
        return page.answer["code"], (await self.provider.op.code(page)).expires_at

    async def things(self) -> dict[str, str]:
        """A valid one of each kind."""
        tokens, http = self.provider.tokens, self.provider.op.browser()
        page = await self.browser.authorize(self.client, scope="openid offline_access", prompt="none")
        issued = await (await tokens.redeem(self.client, page.answer["code"])).json()
        form = {"grant_type": "client_credentials"}
        own = await (await tokens.token(self.client, form)).json()
        async with http.http.post(
            PUSHED_AUTHORIZATION_REQUEST.path,
            data=a_request(self.client),
            headers=basic(self.client.client_id),
        ) as response:
            request_uri = (await response.json())["request_uri"]
        waiting = await self.stranger.request("GET", AUTHORIZATION.path, params=a_request(self.client))
        device_code, user_code = await self._device_codes()
        introspected = await tokens.post(
            INTROSPECTION.path,
            {"token": issued["access_token"]},
            headers={**basic(self.client.client_id), "Accept": "application/token-introspection+jwt"},
        )
        signed = await (await tokens.userinfo(issued["access_token"])).text()
        return {
            "code": (await self._a_code())[0],
            "access token": issued["access_token"],
            "JWT access token": (await tokens.tokens(self.jwt_client))["access_token"],
            "client's own access token": own["access_token"],
            "refresh token": issued["refresh_token"],
            "ID token": issued["id_token"],
            "userinfo response": signed,
            "introspection response": await introspected.text(),
            "device code": device_code,
            "user code": user_code,
            "request_uri": request_uri,
            "handle of the request_uri": request_uri.rpartition(":")[2],
            "interaction": waiting.location.partition("interaction=")[2],
            "session": self.browser.cookie("session") or "",
            "browser": self.browser.cookie("browser") or "",
            "client secret": SECRET,
            "client_id": self.client.client_id,
            "personal access token": (await a_token(self.provider.world, self.user)).value,
            "initial access token": await self.registry.token(1),
            "registration access token": self.registered["registration_access_token"],
            "registered client's secret": self.registered["client_secret"],
            "client assertion": self._signed(sub=self.signing.client_id),
            "request object": self._signed(**a_request(self.signing)),
        }


async def _stage(provider: Services, registry: Registry) -> Stage:
    client = await provider.client(
        grant_types=("authorization_code", "refresh_token", "client_credentials", DEVICE_CODE),
        skip_consent=True,
        userinfo_signed_response_alg="ES256",
    )
    signing = await provider.client(
        token_endpoint_auth_method="private_key_jwt",
        secrets=(),
        jwks={"keys": [public_jwk(KEY.public_key())]},
    )
    browser = provider.op.browser()
    user = await provider.op.user()
    await browser.sign_in(client, user)
    return Stage(
        provider,
        registry,
        client,
        signing,
        await provider.client(access_token_format="jwt", allow_personal_access_tokens=True),
        await registry.register(),
        browser,
        provider.op.browser(),
        next(cookie.key for cookie in browser.http.cookie_jar if "session" in cookie.key),
        user,
    )


async def test_nothing_is_taken_for_what_it_is_not(provider: Services) -> None:
    """Every kind is tried everywhere, and each still works at its own place afterwards."""
    settings = provider.op.settings
    http: TestClient[web.Request, web.Application]
    async with TestClient(Served(application(settings, client_registry))) as http:
        stage = await _stage(provider, Registry(http, provider.world))
        things, places = await stage.things(), stage.places()
        assert all(things.values())
        assert len(set(things.values())) == len(things)
        taken = [
            (name, place)
            for place, (present, accepted) in places.items()
            for name, value in things.items()
            if name not in accepted and await present(value)
        ]
        assert taken == []
        for name in things.keys() - places["introspection"][1]:
            assert (await provider.tokens.revoke(stage.client, things[name])).status == 200
        for place, (present, accepted) in places.items():
            for name in sorted(accepted, reverse=True):
                assert (name, place, await present(things[name])) == (name, place, True)
