"""Users with authenticator apps for tests, and what they type."""

import re
from datetime import timedelta
from html import unescape

from shared.identity.recovery_codes import recovery_code_hash
from shared.identity.totp import PERIOD, code_at
from shared.live import clock
from shared.model import User
from shared.paths import ADD_SECOND_FACTOR, SECOND_FACTOR
from shared.store import NewSecondFactor
from tests.authorization import AuthorizationService, Browser, Page

SECRET = b"12345678901234567890"
RECOVERY_CODES = ("aaaa-bbbb-cccc-dddd", "eeee-ffff-gggg-hhhh")
A_NEW_APP = NewSecondFactor(secret=SECRET, step=0, recovery_hashes=("0" * 64,))
WRONG = "000 00a"  # no code at all


def code(secret: bytes = SECRET, *, later: int = 0) -> str:
    """The code of now, or of the time step that is so much *later*."""
    return code_at(secret, int((clock.now() + timedelta(seconds=later * PERIOD)).timestamp()) // PERIOD)


async def a_user_with_an_app(op: AuthorizationService) -> User:
    """A user whose app has SECRET, with RECOVERY_CODES."""
    user = await op.user()
    hashes = [recovery_code_hash(user.user_id, each) for each in RECOVERY_CODES]
    new = NewSecondFactor(secret=SECRET, step=0, recovery_hashes=hashes)
    await op.world.stores.second_factors.add(user.user_id, new)
    return user


def is_second_factor(page: Page) -> bool:
    """The page with both forms, not that of a new app."""
    return 'id="recovery-submit"' in page.text and 'id="totp-submit"' in page.text


def is_addition(page: Page) -> bool:
    """The page that shows a new secret."""
    return 'id="secret"' in page.text and 'id="totp-submit"' in page.text


def shown_secret_of(page: Page) -> str:
    """The secret on the page that adds an app, in base32."""
    found = re.search(r'<code class="secret"[^>]*>([A-Z2-7 ]+)</code>', page.text)
    assert found
    return found[1].replace(" ", "")


def recovery_codes_of(page: Page) -> list[str]:
    """The recovery codes on the page that shows them."""
    return re.findall(r"<li><code>([a-z2-7-]+)</code></li>", page.text)


def onward(page: Page) -> str:
    """Where the page with the recovery codes leads."""
    found = re.search(r'id="recovery-continue" href="([^"]*)"', page.text)
    assert found
    return unescape(found[1])


async def show(browser: Browser, page: Page, **fields: str) -> Page:
    """Fill in one of the forms of the second factor."""
    return await browser.post(SECOND_FACTOR.path, {**page.hidden, **fields})


async def add(browser: Browser, page: Page, typed: str) -> Page:
    """Type the first code of a new app."""
    return await browser.post(ADD_SECOND_FACTOR.path, {**page.hidden, "code": typed})
