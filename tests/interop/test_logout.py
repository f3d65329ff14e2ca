"""Back-channel and front-channel logout at mod_auth_openidc, with its default checks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.paths import END_SESSION
from tests.flow.op import Op, embedded
from tests.flow.starter import eventually, free_port
from tests.flow.user_agent import UserAgent
from tests.interop.apache import CONTENT, MODULES, Apache, apache
from tests.interop.chromium import new_page, sign_in
from tests.tools import needs


@pytest.fixture(scope="module")
def port() -> int:
    """Apache's port, which the OP is allowed to reach."""
    needs("apache", MODULES / "mod_auth_openidc.so")
    return free_port()


@pytest.fixture(scope="module")
def op(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Op]:
    """A deployment whose settings allow notices to Apache."""
    folder = tmp_path_factory.mktemp("embedded")
    with embedded(folder, OSTIARY_FETCH_ALLOW=f"localhost:{port}") as op:
        yield op


@pytest.fixture
def back(op: Op, port: int) -> Iterator[Apache]:
    """Apache with back-channel logout."""
    with apache(op, port, backchannel_logout_uri="logout=backchannel") as running:
        yield running


@pytest.fixture
def front(op: Op, port: int) -> Iterator[Apache]:
    """Apache with front-channel logout."""
    with apache(op, port, frontchannel_logout_uri="logout=get") as running:
        yield running


@pytest.mark.point(24)
def test_the_back_channel(op: Op, back: Apache) -> None:
    """Apache accepts the logout token and ends the session, although the browser still has its cookie."""
    agent = UserAgent(back.door)
    page = agent.visit(op.sign_in(agent.visit(back.page).location))
    assert (page.status, page.text) == (200, CONTENT)
    assert agent.visit(back.page).text == CONTENT
    op.ostiary("user", "logout", op.username)
    eventually(lambda: CONTENT not in agent.visit(back.page).text, "signed out at Apache")
    assert agent.visit(back.page).location.startswith(op.issuer)
    eventually(lambda: op.ostiary("outbox", "list", "--json").strip() == "[]", "taken by Apache")


@pytest.mark.point(23)
async def test_the_front_channel(op: Op, front: Apache, tmp_path: Path) -> None:
    """The frame of the signed-out page ends the session at Apache, which then redirects to the OP again."""
    async with new_page(op, tmp_path) as page:
        await page.goto(front.page)
        await sign_in(op, page)
        await page.wait_for_url(front.page)
        assert await page.inner_text("body") == CONTENT
        await page.goto(END_SESSION.at(op.issuer))
        await page.click("#logout-confirm")
        await page.wait_for_url("**/oidc/logout/done")
        await page.goto(front.page)
        await page.wait_for_selector("#login-submit")
