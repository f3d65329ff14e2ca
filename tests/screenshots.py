"""Takes a screenshot of every page and state, and of every mail: `python -m tests.screenshots FOLDER`.

Light and dark, 320 and 1280 pixels wide, in English and Arabic; the mails and some pages in every language.
With `deploy/images --readme` it writes only the two pictures that README.md shows. Japanese and Chinese need
a font that has them, such as Debian's fonts-noto-cjk.
"""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.headerregistry import Address
from pathlib import Path
from typing import Literal

from aiohttp import web
from playwright.async_api import Browser, Page, async_playwright

from services.worker.mail.message import Messages
from shared.browser.pages import Pages
from shared.config.kinds.protocol import UI_LOCALES
from shared.config.settings import Settings
from tests.look import looking
from tests.sample_mails import html_bodies
from tests.sample_pages import LOGINS, SIGN_UPS, application, responses
from tests.tools import PROGRAMS

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SIZES = ((320, 640), (1280, 800))
IN_ANOTHER_LOOK = ("login", "consent", "account", "error-cookie")
"""States that are also written in the look of an operator, into a folder of their own."""
README_SIZE = (600, 780)
README_PICTURES = (("login", "light", "sign-in"), ("consent", "dark", "consent"))


async def looks(browser: Browser) -> AsyncIterator[tuple[str, Page]]:
    """An empty page for each scheme and size, and how the files of its screenshots end."""
    for scheme in SCHEMES:
        for width, height in SIZES:
            context = await browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=scheme
            )
            yield f"{scheme}-{width}.png", await context.new_page()
            await context.close()


async def write(browser: Browser, origin: str, states: list[tuple[str, str]], folder: Path) -> None:
    """A screenshot of each of *states* (locale, name) for each scheme and size."""
    async for look, page in looks(browser):
        await page.route("https://**", lambda route: route.fulfill(status=204))  # the page stays
        for locale, name in states:
            if name.startswith("form-post"):  # it would leave
                await page.add_init_script("HTMLFormElement.prototype.submit = () => {}")
            await page.goto(f"{origin}/{locale}/{name}", wait_until="load")
            await page.screenshot(path=folder / f"{name}-{locale}-{look}", full_page=True)


async def write_mails(browser: Browser, folder: Path) -> None:
    """A screenshot of the HTML of each kind of mail."""
    messages = Messages.load(Settings().issuer, Address(addr_spec="id@example.org"), UI_LOCALES)
    async for look, page in looks(browser):
        for locale in UI_LOCALES:
            for name, html in html_bodies(messages, locale).items():
                await page.set_content(html)
                await page.screenshot(path=folder / f"{name}-{locale}-{look}", full_page=True)


async def write_for_readme(browser: Browser, origin: str, folder: Path) -> None:
    """The two pictures in README.md, in one size."""
    width, height = README_SIZE
    for state, scheme, name in README_PICTURES:
        context = await browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        page = await context.new_page()
        await page.goto(f"{origin}/en/{state}", wait_until="load")
        await page.screenshot(path=folder / f"{name}.png")
        await context.close()


async def write_in_another_look(browser: Browser, folder: Path) -> None:
    """The states IN_ANOTHER_LOOK."""
    folder.mkdir(exist_ok=True)
    async with serving(Pages.load(looking(folder), web.Application())) as origin:
        await write(browser, origin, [("en", name) for name in IN_ANOTHER_LOOK], folder)


@asynccontextmanager
async def serving(pages: Pages) -> AsyncIterator[str]:
    """Serve the samples. Yields their origin."""
    runner = web.AppRunner(application(pages))
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def main(folder: Path, chromium: str, *, is_for_readme: bool) -> None:
    """Serve the samples, open a browser, and write the screenshots into *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = Pages.load(Settings(), web.Application())
    states = [(locale, name) for locale in ("en", "ar") for name in responses(pages, locale)]
    states += [
        (locale, name)
        for locale in UI_LOCALES
        if locale not in ("en", "ar")
        for name in (
            *LOGINS,
            *SIGN_UPS,
            "select-account",
            "consent-everything",
            "sign-out-incomplete",
            "error-cookie",
            "leaving",
        )
    ]
    async with async_playwright() as playwright, serving(pages) as origin:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        if is_for_readme:
            await write_for_readme(browser, origin, folder)
        else:
            await write(browser, origin, states, folder)
            await write_mails(browser, folder)
            await write_in_another_look(browser, folder / "look")
        await browser.close()


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["--readme"]):
        sys.exit("usage: python -m tests.screenshots FOLDER [--readme]")
    if not (found := next(filter(None, map(shutil.which, PROGRAMS["browser"])), None)):
        sys.exit("there is no Chromium: `make interop-tools` installs it")
    asyncio.run(main(Path(sys.argv[1]), found, is_for_readme="--readme" in sys.argv))
