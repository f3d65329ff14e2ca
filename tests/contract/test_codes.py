"""`AuthorizationCodes` with the real Redis."""

from datetime import timedelta

import pytest

from shared.live.randomness import new_handle
from shared.model import ClaimsRequest
from shared.oauth.tokens.handle import Kind, digest
from tests.builders import World
from tests.contract.conftest import LAYOUTS

pytestmark = pytest.mark.parametrize("module_redis_url", LAYOUTS, indirect=True, scope="module")

MINUTE = timedelta(minutes=1)


async def test_a_code_is_found_as_it_was_added(world: World) -> None:
    """A code is found with everything that redemption needs, any number of times."""
    code = (await world.sign_in()).code(
        "client", claims=ClaimsRequest(userinfo={"name": {"essential": True}}, id_token={"email": None})
    )
    value = await world.add_code(code)
    for _ in range(2):
        assert await world.stores.codes.find(digest(value)) == code


async def test_an_unknown_code_is_none(world: World) -> None:
    """Never issued."""
    assert await world.stores.codes.find(digest(new_handle(Kind.AUTHORIZATION_CODE))) is None


async def test_a_code_without_the_optional_parts_is_found(world: World) -> None:
    """No challenge, no nonce."""
    code = (await world.sign_in()).code("client", nonce=None, code_challenge=None)
    assert await world.stores.codes.find(digest(await world.add_code(code))) == code


async def test_the_fifth_wrong_try_ends_a_code(world: World) -> None:
    """The fifth failure ends a code; failures of other codes do not count."""
    sign_in, codes = await world.sign_in(), world.stores.codes
    one, other = [digest(await world.add_code(sign_in.code("client"))) for _ in range(2)]
    for _ in range(4):
        await codes.count_failure(one, 5)
        await codes.count_failure(other, 5)
    assert await codes.find(one) is not None
    await codes.count_failure(one, 5)
    assert await codes.find(one) is None
    assert await codes.find(other) is not None


async def test_a_wrong_try_on_an_unknown_code_leaves_no_trace(world: World) -> None:
    """Failures of unknown codes are not counted."""
    codes, code_hash = world.stores.codes, digest(new_handle(Kind.AUTHORIZATION_CODE))
    await codes.count_failure(code_hash, 2)
    await codes.add(code_hash, (await world.sign_in()).code("client"), MINUTE)
    await codes.count_failure(code_hash, 2)
    assert await codes.find(code_hash) is not None
