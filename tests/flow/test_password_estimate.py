"""The estimate beside a new password in Chromium: how hard it is to guess, while it is typed."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Page, expect

from shared.browser.pages import Pages
from shared.config.kinds.protocol import UI_LOCALES
from shared.config.settings import Settings
from tests.flow.test_pages_browser import AXE, SCHEMES, TOO_WIDE, narrow, served, violations, with_axe
from tests.sample_pages import application
from tests.tools import needs

STRONG = "seven quiet rivers under a copper moon"
LEVELS = {
    "Easy to guess": (
        "x7$Kq9!",  # too short, whatever it is
        "Password1!",
        "sunshine2026",
        "qwertyuiop",
        "1234567890123456",
        "abcdefghijklmnopqrstuvwxyz",
        "password password password",
        "z" * 60,
    ),
    "Could be guessed": ("Tr0ub4dor&3", "purple monkey cat"),
    "Hard to guess": ("x7$Kq9!mZ2pL", "orbit velvet canyon mule"),
    "Very hard to guess": (
        STRONG,
        "vK3$wq9!Lm2#Zp8@Rt5",
        "пароль который никто не знает",
        "桜の木の下で三匹の猫が静かに眠る夜明け前",
    ),
}


@pytest_asyncio.fixture(scope="module")
async def origin() -> AsyncIterator[str]:
    """The origin of the sample pages."""
    async with served(application(Pages.load(Settings(), web.Application()))) as port:
        yield f"http://localhost:{port}"


@pytest.fixture
async def page(browser: Browser) -> Page:
    """A narrow page."""
    return await (await narrow(browser)).new_page()


async def test_the_estimate_follows_what_is_typed(page: Page, origin: str) -> None:
    """From easy to very hard, and nothing while there is no password."""
    await page.goto(f"{origin}/en/sign-up")
    estimate = page.locator(".strength")
    await expect(estimate).to_be_hidden()
    estimated = {}
    for words, passwords in LEVELS.items():
        for password in passwords:
            await page.fill("#password", password)
            estimated[password] = (await estimate.inner_text()).strip(), words
    assert [(password, *each) for password, each in estimated.items() if each[0] != each[1]] == []
    await page.fill("#password", "")
    await expect(estimate).to_be_hidden()


async def test_what_is_known_of_the_user_is_no_secret(page: Page, origin: str) -> None:
    """Their names and their address count for nothing, also where nobody types them."""
    await page.goto(f"{origin}/en/sign-up")
    password = "bartholomew hollingsworth winterbourne"
    await page.fill("#password", password)
    await expect(page.locator(".strength")).to_have_text("Very hard to guess")
    await page.fill("#username", "winterbourne")
    await page.fill("#name", "Bartholomew (Bart) Hollingsworth")
    await page.fill("#password", f"{password}!")
    await expect(page.locator(".strength")).to_have_text("Easy to guess")


@pytest.mark.parametrize("state", ["account-password", "recovery", "replace-password"])
async def test_every_new_password_is_estimated(page: Page, origin: str, state: str) -> None:
    """On each page that takes one."""
    await page.goto(f"{origin}/en/{state}")
    await page.fill("#password", STRONG)
    await expect(page.locator(".strength")).to_have_text("Very hard to guess")


async def test_the_estimate_has_room_in_every_language(page: Page, origin: str) -> None:
    """At 320 pixels, whatever it says."""
    faults = {}
    for locale in UI_LOCALES:
        await page.goto(f"{origin}/{locale}/account-password")
        for level, passwords in enumerate(LEVELS.values(), 1):
            await page.fill("#password", passwords[0])
            await expect(page.locator(f'.strength[data-level="{level}"]')).to_be_visible()
            if found := await page.evaluate(TOO_WIDE):
                faults[locale, level] = found
    assert faults == {}


async def test_axe_finds_nothing_beside_an_estimate(browser: Browser, origin: str) -> None:
    """In light and dark."""
    needs("node", AXE)
    page = await (await with_axe(browser)).new_page()
    await page.goto(f"{origin}/en/account-password")
    await page.fill("#password", STRONG)
    await expect(page.locator(".strength")).to_be_visible()
    assert [await violations(page, scheme) for scheme in SCHEMES] == [[], []]


async def test_without_script_nothing_is_estimated(browser: Browser, origin: str) -> None:
    """The page stays as it is, and the form works."""
    page = await (await narrow(browser, script=False)).new_page()
    await page.goto(f"{origin}/en/account-password")
    await page.fill("#password", STRONG)
    await expect(page.locator(".strength")).to_be_hidden()
