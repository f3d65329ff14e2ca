"""Chromium, started once for the tests of a module."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.screenshots import ARGUMENTS
from tests.tools import needs

ALONE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1"
"""Reaches no other host, and keeps the cache, which intercepting requests would turn off."""


@pytest_asyncio.fixture(scope="module")
async def _chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=needs("browser"), args=[*ARGUMENTS, ALONE])
        yield browser
        await browser.close()


@pytest.fixture
async def browser(_chromium: Browser) -> AsyncIterator[Browser]:
    """Chromium. Each test begins without contexts, which share neither cookies nor caches."""
    yield _chromium
    for context in _chromium.contexts:
        await context.close()
