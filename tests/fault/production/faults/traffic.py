"""What clients, users and operators do at a bad moment."""

import asyncio
import random
import time
from contextlib import suppress

import jwt
from aiohttp import ClientError, ClientTimeout
from cryptography.hazmat.primitives.asymmetric import ec

from shared.identity.passwords import hash_password
from shared.live import clock
from shared.operations.keys import rotate_keys
from shared.paths import AUTHORIZATION, TOKEN
from tests.authorization import PASSWORD
from tests.fault.history import Done
from tests.fault.load import until_verdict
from tests.fault.person import new_user, outcome_of
from tests.fault.production.deployment import Deployment


async def rotate_all_keys(deployment: Deployment, _: random.Random) -> None:
    """F28: the signing keys are rotated five times."""
    for _turn in range(5):
        await rotate_keys(deployment.world.stores.keys, deployment.settings, clock.now())
        await asyncio.sleep(1)


async def storm_the_login(deployment: Deployment, _: random.Random) -> None:
    """F32: forty users sign in at once, with passwords that cost what they cost in production."""
    world = deployment.world
    client = await world.client(skip_consent=True)
    password_hash = await asyncio.to_thread(hash_password, PASSWORD)

    async def sign_in() -> None:
        user = await new_user(world, password_hash)
        browser = await deployment.browser()
        signing_in = until_verdict(lambda: outcome_of(browser.sign_in(client, user)), "a sign-in")
        assert isinstance(await signing_in, Done)

    await asyncio.gather(*(sign_in() for _ in range(40)))


async def hang_on_keys(deployment: Deployment, _: random.Random) -> None:
    """F35: clients authenticate whose `jwks_uri` never answers."""
    client = await deployment.world.client(
        token_endpoint_auth_method="private_key_jwt",
        jwks_uri=deployment.outside.silent_jwks_uri,
        secrets=(),
    )
    http = await deployment.session(has_jar=False)
    key = ec.generate_private_key(ec.SECP256R1())

    async def authenticate(number: int) -> int:
        claims = {
            "iss": client.client_id,
            "sub": client.client_id,
            "aud": deployment.settings.issuer,
            "exp": int(time.time()) + 60,
            "iat": int(time.time()),
            "jti": f"{number}-{time.time()}",
        }
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": jwt.encode(claims, key, "ES256", {"kid": str(number)}),
        }
        async with http.post(TOKEN.path, data=form, timeout=ClientTimeout(60)) as response:
            return response.status

    statuses = await asyncio.gather(*map(authenticate, range(50)))
    assert {*statuses} <= {401, 503}, statuses


async def abort_requests(deployment: Deployment, chance: random.Random) -> None:
    """F39: clients give up while they are being answered."""
    http = await deployment.session(has_jar=False)

    async def give_up(path: str) -> None:
        with suppress(ClientError, OSError, TimeoutError):
            async with http.post(
                path, data={"grant_type": "client_credentials"}, timeout=ClientTimeout(chance.random() / 20)
            ) as response:
                await response.read()

    for _burst in range(20):
        paths = [chance.choice((TOKEN.path, AUTHORIZATION.path)) for _ in range(15)]
        await asyncio.gather(*map(give_up, paths))
