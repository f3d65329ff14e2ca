"""Chromium with its default checks, which trusts the local CA."""

import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Page, async_playwright

from tests.flow.op import Op
from tests.screenshots import ARGUMENTS
from tests.tools import needs

HANG_GUARD = 120_000  # milliseconds
CERTUTIL = Path(shutil.which("certutil") or "/usr/bin/certutil")


def _trust(home: Path, ca_file: Path) -> None:
    """Add the CA to the user's trust store of Chromium on Linux."""
    database = home / ".pki" / "nssdb"
    database.mkdir(parents=True)
    store = ("-d", f"sql:{database}")
    for arguments in (("-N", "--empty-password"), ("-A", "-t", "C,,", "-n", "local", "-i", str(ca_file))):
        subprocess.run((str(CERTUTIL), *store, *arguments), check=True, capture_output=True)


@asynccontextmanager
async def new_page(op: Op, home: Path) -> AsyncIterator[Page]:
    """A page of a fresh Chromium that trusts the OP's CA; *home* is an empty folder for it."""
    program = needs("browser", CERTUTIL)
    _trust(home, op.ca_file)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program, args=ARGUMENTS, env={**os.environ, "HOME": str(home)}
        )
        try:
            page = await browser.new_page()
            page.set_default_timeout(HANG_GUARD)
            yield page
        finally:
            await browser.close()


async def sign_in(op: Op, page: Page) -> None:
    """Fill in the login page, and allow the request if the consent page follows."""
    await page.fill("input[name=username]", op.username)
    await page.fill("input[name=password]", op.password)
    async with page.expect_navigation():
        await page.click("#login-submit")
    if await page.locator("#consent-allow").count():
        await page.click("#consent-allow")
