"""Passport with the strategy of openid-client."""

from pathlib import Path

from tests.applications.node_server import check_sign_in, check_wrong_secret
from tests.flow.op import Op

NAME = "passport"


async def test_a_person_signs_in_and_out(provider: Op, tmp_path: Path) -> None:
    """Express has her claims from the ID token, renews its tokens, and ends the session here too."""
    await check_sign_in(provider, NAME, tmp_path)


async def test_a_wrong_secret_opens_nothing(provider: Op, tmp_path: Path) -> None:
    """The code is refused, Express lets nobody in, and the operator is told why."""
    await check_wrong_secret(provider, NAME, tmp_path)
