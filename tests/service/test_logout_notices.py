"""Back-channel logout: logout tokens, and failing relying parties."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwe
from joserfc.jwk import ECKey

from services.worker.app import mount
from services.worker.logout.notices import TRIED_FOR, NoticeDelivery
from services.worker.logout.token import LOGOUT_EVENT, LogoutTokens
from services.worker.retries import AT_A_TIME, FIRST_WAIT, LEASE, LONGEST_WAIT, next_try
from shared.config.settings import Settings
from shared.fetch import FetchFailed
from shared.fetch.breaker import PER_HOST
from shared.issuing.encryption import Encryption
from shared.issuing.tokens import TokenIssuer
from shared.live import clock
from shared.oauth.client.jwks import public_key
from shared.oauth.client.record import Client
from shared.oauth.tokens.keys import public_jwk
from shared.server.app import application
from shared.server.resources import CLIENT_KEYS, CLIENTS, KEYRING, client_keys, fetcher, need, stores
from shared.store import LogoutNotice, Outbox, Unavailable
from tests.builders import SignIn, World, an_attempt
from tests.deployment import ISSUER, settings_for
from tests.served import Served

URI = "https://rp1.test/logout"


@pytest.fixture(autouse=True)
async def _empty(world: World) -> None:
    await world.database.row("TRUNCATE outbox")


@dataclass
class NoticeReceiver:
    """The relying parties' responses by client, and the requests that they got."""

    status: int = 200
    sent: list[tuple[str, str]] = field(default_factory=list)
    hanging: asyncio.Event | None = None
    in_flight: int = 0
    most: int | None = None  # at a time

    async def post_form(self, uri: str, form: Mapping[str, str]) -> int:
        (name, token) = next(iter(form.items()))
        assert name == "logout_token"
        if self.hanging and "hanging" in uri:
            await self.hanging.wait()
            raise FetchFailed("there is no answer")
        self.in_flight += 1
        try:
            if self.most and self.in_flight > self.most:
                raise FetchFailed("busy")
            await asyncio.sleep(0)
        finally:
            self.in_flight -= 1
        self.sent.append((uri, token))
        if self.status == 0:
            raise FetchFailed("there is no answer")
        return self.status

    @property
    def jtis(self) -> list[str]:
        return [jwt.decode(token, options={"verify_signature": False})["jti"] for _, token in self.sent]


@dataclass(frozen=True)
class Setup:
    """An application that delivers only on request."""

    app: web.Application
    world: World
    delivery: NoticeDelivery
    rp: NoticeReceiver

    async def notices(self, count: int = 1, **fields: Any) -> tuple[Client, list[UUID]]:
        """A client, and sessions of one user that have just ended."""
        client = await self.world.client(**{"backchannel_logout_uri": URI, **fields})
        user = await self.world.user()
        sids = [await self.world.session(user) for _ in range(count)]
        for sid in sids:
            code, grant_id = await self.world.issued_code(SignIn(user, sid).code(client.client_id)), uuid4()
            expires_at = clock.now() + timedelta(days=1)
            await self.world.stores.grants.redeem(
                an_attempt(grant_id), grant_id.bytes, code, expires_at, None
            )
        for sid in sids:
            await self.world.stores.sessions.end(sid, "logout")
        return client, sids

    async def waiting(self) -> list[LogoutNotice]:
        return list(await self.world.stores.outbox.list(100))

    def verified(self, token: str) -> Any:
        """Header and claims, as a relying party reads them by our JWK Set."""
        header = jwt.get_unverified_header(token)
        jwk = next(
            key for key in self.app[KEYRING].known.jwks(clock.now())["keys"] if key["kid"] == header["kid"]
        )
        claims = jwt.decode(token, public_key(jwk), [header["alg"]], options={"verify_aud": False})
        return header, claims


@asynccontextmanager
async def set_up(settings: Settings, world: World) -> AsyncIterator[Setup]:
    app = application(settings, lambda app: need(app, stores, fetcher, client_keys))
    async with Served(app):
        rp = NoticeReceiver()
        keyring, encryption = app[KEYRING], Encryption(app[CLIENT_KEYS])
        tokens = LogoutTokens(settings.issuer, keyring, TokenIssuer(settings, keyring), encryption)
        yield Setup(app, world, NoticeDelivery(world.stores.outbox, app[CLIENTS], tokens, rp), rp)


@pytest.fixture
async def setup(settings: Settings, world: World) -> AsyncIterator[Setup]:
    async with set_up(settings, world) as made:
        yield made


@pytest.mark.point(24)
@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA"])
@pytest.mark.parametrize("subject_type", ["public", "pairwise"])
async def test_what_a_logout_token_says(setup: Setup, alg: str, subject_type: str) -> None:
    """§2.4: type, issuer, audience, event, `sub` and `sid` of the ID token, short, no nonce."""
    client, (sid,) = await setup.notices(id_token_signed_response_alg=alg, subject_type=subject_type)
    (notice,) = await setup.waiting()
    assert await setup.delivery.deliver(clock.now()) == 1
    assert await setup.waiting() == []
    ((uri, token),) = setup.rp.sent
    header, claims = setup.verified(token)
    assert uri == URI
    assert (header["typ"], header["alg"]) == ("logout+jwt", alg)
    assert claims.pop("exp") - claims.pop("iat") <= 120
    assert claims == {
        "iss": ISSUER,
        "aud": [client.client_id],
        "sub": setup.delivery.tokens.tokens.sub(notice.user_id, client),
        "sid": str(sid),
        "jti": str(notice.notice_id),
        "events": {LOGOUT_EVENT: {}},
    }


@pytest.mark.point(24)
async def test_a_logout_token_is_encrypted_where_id_tokens_are(setup: Setup) -> None:
    """§2.4, §2.6: a client with encrypted ID tokens gets encrypted logout tokens."""
    key = ec.generate_private_key(ec.SECP256R1())
    jwks = {"keys": [{**public_jwk(key.public_key()), "use": "enc"}]}
    client, _ = await setup.notices(jwks=jwks, id_token_encrypted_response_alg="ECDH-ES")
    await setup.delivery.deliver(clock.now())
    ((_, token),) = setup.rp.sent
    opened = jwe.decrypt_compact(token, ECKey.import_key(key), algorithms=["ECDH-ES", "A128CBC-HS256"])
    assert opened.headers()["cty"] == "JWT"
    assert opened.plaintext is not None
    header, claims = setup.verified(opened.plaintext.decode())
    assert (header["typ"], claims["aud"]) == ("logout+jwt", [client.client_id])


@pytest.mark.point(24)
async def test_without_a_key_to_encrypt_to_a_notice_waits(setup: Setup) -> None:
    """Without the client's key, a notice is retried later, and never sent unencrypted."""
    await setup.notices(jwks={"keys": []}, id_token_encrypted_response_alg="ECDH-ES")
    assert await setup.delivery.deliver(clock.now()) == 1
    (notice,) = await setup.waiting()
    assert setup.rp.sent == []
    assert await setup.delivery.deliver(clock.now()) == 0
    assert await setup.delivery.deliver(clock.now() + FIRST_WAIT + timedelta(seconds=1)) == 1
    (again,) = await setup.waiting()
    assert (again.notice_id, again.tries) == (notice.notice_id, 2)


@pytest.mark.parametrize("status", [200, 204, 299])
async def test_a_client_that_answered_2xx_hears_no_more(setup: Setup, status: int) -> None:
    """A notice that was answered with 2xx is never sent again."""
    await setup.notices()
    setup.rp.status = status
    for hours in range(30):
        await setup.delivery.deliver(clock.now() + timedelta(hours=hours))
    assert len(setup.rp.sent) == 1


@pytest.mark.point(24)
@pytest.mark.parametrize("status", [0, 199, 300, 302, 400, 404, 500, 501, 503])
async def test_every_other_answer_is_tried_again_with_the_same_jti(setup: Setup, status: int) -> None:
    """After no answer, a redirect or a refusal, the same notice is sent later."""
    await setup.notices()
    setup.rp.status, now = status, clock.now()
    await setup.delivery.deliver(now)
    await setup.delivery.deliver(now + timedelta(seconds=4))
    assert len(setup.rp.sent) == 1
    setup.rp.status = 200
    await setup.delivery.deliver(now + timedelta(seconds=5))
    assert len(setup.rp.sent) == 2
    assert len(set(setup.rp.jtis)) == 1
    assert await setup.waiting() == []


@pytest.mark.point(24)
async def test_a_client_that_never_answers_is_given_up_visibly(setup: Setup) -> None:
    """Attempts continue at growing intervals for a day; then the notice is given up and stays listed."""
    await setup.notices()
    setup.rp.status = 0
    now = start = clock.now()
    gaps = []
    while True:
        assert await setup.delivery.deliver(now) == 1
        (notice,) = await setup.waiting()
        if notice.given_up_at:
            break
        gaps.append((notice.due_at - now).total_seconds())
        now = notice.due_at
    assert gaps[:5] == [5, 10, 20, 40, 80]
    assert max(gaps) == LONGEST_WAIT.total_seconds()
    assert TRIED_FOR <= now - start <= TRIED_FOR + LONGEST_WAIT
    assert len(setup.rp.jtis) == len(gaps) + 1
    assert len(set(setup.rp.jtis)) == 1
    assert await setup.delivery.deliver(start + timedelta(days=9)) == 0


class _Crashing:
    """An outbox whose process dies between the answer of the client and the note of it."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    def __getattr__(self, name: str) -> Any:
        return getattr(self._outbox, name)

    async def settle(self, notice_id: UUID) -> None:
        raise Unavailable("the process is gone")


@pytest.mark.point(24)
async def test_a_crash_after_the_answer_tells_again_with_the_same_jti(setup: Setup) -> None:
    """After a crash, another process delivers the notice again when the lease has ended."""
    await setup.notices()
    now, sound = clock.now(), setup.delivery
    dying = replace(sound, outbox=_Crashing(sound.outbox))
    await dying.deliver(now)
    assert await sound.deliver(now + LEASE - timedelta(seconds=1)) == 0
    assert await sound.deliver(now + LEASE) == 1
    assert len(setup.rp.jtis) == 2
    assert len(set(setup.rp.jtis)) == 1
    assert await setup.waiting() == []


async def test_two_deliverers_tell_once(setup: Setup) -> None:
    """Two processes deliver a notice once."""
    await setup.notices(20)
    now = clock.now()
    while any(await asyncio.gather(*(setup.delivery.deliver(now) for _ in range(4)))):
        pass
    assert len(setup.rp.jtis) == len(set(setup.rp.jtis)) == 20


@pytest.mark.point(24)
async def test_a_client_that_hangs_delays_no_other(setup: Setup) -> None:
    """A client that hangs delays none of another host, even with more than a batch of notices."""
    await setup.notices(AT_A_TIME - 1, backchannel_logout_uri="https://rp2.test/hanging")
    await setup.notices(1)
    setup.rp.hanging = asyncio.Event()
    task = asyncio.create_task(setup.delivery.deliver(clock.now()))
    async with asyncio.timeout(30):
        while not setup.rp.sent:  # there is nothing to wait on but the list
            await asyncio.sleep(0)
    assert not task.done()
    setup.rp.hanging.set()
    assert await task == AT_A_TIME
    assert len(await setup.waiting()) == AT_A_TIME - 1


async def test_a_full_batch_for_one_host_is_delivered_at_once(setup: Setup) -> None:
    """More notices than the fetcher sends to a host at a time do not put each other off."""
    await setup.notices(AT_A_TIME)
    setup.rp.most = PER_HOST
    assert await setup.delivery.deliver(clock.now()) == AT_A_TIME
    assert await setup.waiting() == []
    assert len(setup.rp.sent) == AT_A_TIME


@pytest.mark.parametrize("case", ["disabled", "no URI any more"])
async def test_who_wants_to_be_told_no_more_is_not(setup: Setup, case: str) -> None:
    """The client's current record decides whether a notice is sent."""
    client, _ = await setup.notices()
    if case == "disabled":
        await setup.world.stores.clients.disable(client.client_id)
    else:
        await setup.world.database.row(
            "UPDATE clients SET metadata = metadata - 'backchannel_logout_uri' WHERE client_id = $1",
            client.client_id,
        )
    await setup.delivery.deliver(clock.now())
    assert setup.rp.sent == []
    assert await setup.waiting() == []


@pytest.mark.parametrize(
    ("tries", "seconds"), [(1, 5), (2, 10), (5, 80), (10, 2560), (11, 3600), (40, 3600), (10_000, 3600)]
)
def test_the_wait_doubles_and_is_bounded(tries: int, seconds: int) -> None:
    """The wait starts with five seconds and is at most an hour."""
    now = clock.now()
    assert next_try(tries, now + TRIED_FOR, now) == now + timedelta(seconds=seconds)


def test_there_is_an_end_to_trying() -> None:
    """At the given time."""
    now = clock.now()
    assert next_try(3, now + timedelta(seconds=1), now) is not None
    assert next_try(3, now, now) is None


@pytest.mark.point(24)
async def test_a_running_worker_delivers_by_itself(
    module_database_url: str, module_redis_url: str, world: World
) -> None:
    """Through the guarded fetcher, as a form, to a server that the operator allows."""
    arrived: asyncio.Queue[tuple[str, str, str]] = asyncio.Queue()

    async def logout(request: web.Request) -> web.Response:
        form = await request.post()
        await arrived.put((request.method, request.content_type, str(form["logout_token"])))
        return web.Response()

    rp = web.Application()
    rp.router.add_route("*", "/logout", logout)
    async with TestServer(rp) as server:
        allow = f"127.0.0.1:{server.port}"
        settings = settings_for(module_database_url, module_redis_url, fetch_allow=allow)
        async with set_up(settings, world) as setup, Served(application(settings, mount)):
            await setup.notices(backchannel_logout_uri=f"http://{allow}/logout")
            async with asyncio.timeout(30):
                method, content_type, token = await arrived.get()
                while await setup.waiting():  # PostgreSQL tells nobody
                    await asyncio.sleep(0.01)
            assert (method, content_type) == ("POST", "application/x-www-form-urlencoded")
            assert setup.verified(token)[0]["typ"] == "logout+jwt"
