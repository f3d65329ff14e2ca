"""One provider and one Chromium for each module of journeys, and a new browser profile for each of them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.flow.journeys.keyboard import KeyboardUser
from tests.flow.journeys.provider import Provider, provide
from tests.screenshots import ARGUMENTS
from tests.tools import needs


@pytest_asyncio.fixture(scope="module")
async def provider(
    module_database_url: str, module_redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Provider]:
    """A deployment with a client."""
    mails: Path = tmp_path_factory.mktemp("mails")
    async with provide(module_database_url, module_redis_url, mails) as provided:
        yield provided


@pytest_asyncio.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    """A Chromium."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=needs("browser"), args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture
async def unscripted(browser: Browser) -> AsyncIterator[KeyboardUser]:
    """A person with a keyboard, whose browser runs no script."""
    context = await browser.new_context(java_script_enabled=False)
    yield KeyboardUser(await context.new_page())
    await context.close()


@pytest.fixture
async def scripted(browser: Browser) -> AsyncIterator[KeyboardUser]:
    """A person with a keyboard, in a usual browser."""
    context = await browser.new_context()
    yield KeyboardUser(await context.new_page())
    await context.close()


@pytest.fixture(params=["script", "no script"])
def keyboard(request: pytest.FixtureRequest) -> KeyboardUser:
    """Either of them."""
    user: KeyboardUser = request.getfixturevalue("scripted" if request.param == "script" else "unscripted")
    return user
