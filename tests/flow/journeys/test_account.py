"""What people do with their account, by keyboard alone."""

import json
import re
from base64 import b32decode

from playwright.async_api import expect

from shared.paths import ACCOUNT, ACCOUNT_CONNECTIONS, ACCOUNT_PROFILE, LOGOUT
from tests.flow.journeys.keyboard import KeyboardUser
from tests.flow.journeys.provider import Provider
from tests.flow.journeys.test_sign_in import NEW_PASSWORD
from tests.flow.test_sign_in_browser import arrived
from tests.second_factors import WRONG, code

DONE = ".notice[role=status]"


async def says(keyboard: KeyboardUser, text: str) -> None:
    """Expect the message that something is done."""
    await expect(keyboard.page.locator(DONE)).to_contain_text(text)


async def test_details(unscripted: KeyboardUser, provider: Provider) -> None:
    """A phone number that is none first; then a name, a number and a language."""
    await provider.open_account(unscripted, await provider.user())
    await unscripted.follow("#account-profile")
    await unscripted.type("#phone_number", "none")
    await unscripted.follow("#profile-submit")
    await expect(unscripted.page.locator("#phone_number")).to_be_focused()
    await expect(unscripted.page.get_by_role("alert")).to_contain_text("phone number")
    await unscripted.type("#phone_number", "+44 20 7946 0000")
    await unscripted.type("#given_name", "Ada")
    await unscripted.reach("#locale")
    await unscripted.page.keyboard.type("Fran")  # a select finds what is typed
    await unscripted.follow("#profile-submit")
    await says(unscripted, "have been saved")
    await unscripted.open(provider.uri(ACCOUNT_PROFILE))
    await expect(unscripted.page.locator("#given_name")).to_have_value("Ada")
    await expect(unscripted.page.locator("#locale")).to_have_value("fr")


async def test_another_address(unscripted: KeyboardUser, provider: Provider) -> None:
    """What no mail server takes first, then a wrong code, then the one that was mailed."""
    user = await provider.user()
    address = f"new-{user.username}@example.org"
    await provider.open_account(unscripted, user)
    await unscripted.follow("#account-email")
    await unscripted.type("#email", f"{'a' * 65}@example.org")
    await unscripted.follow("#email-submit")
    await expect(unscripted.page.locator("#email")).to_be_focused()
    await unscripted.type("#email", address)
    await unscripted.follow("#email-submit")
    await unscripted.type("#code", "000000")
    await unscripted.follow("#email-confirm")
    await expect(unscripted.page.get_by_role("alert")).to_contain_text("wrong")
    mail = await provider.mail_to(address)
    found = re.search(r"^\s+(\d{6})\s*$", mail, re.MULTILINE)
    assert found, mail
    await unscripted.type("#code", found[1])
    await unscripted.follow("#email-confirm")
    await says(unscripted, "has been confirmed")
    await expect(unscripted.page.locator("main")).to_contain_text(address)


async def test_another_password(keyboard: KeyboardUser, provider: Provider) -> None:
    """It signs in from then on."""
    user = await provider.user()
    await provider.open_account(keyboard, user)
    await keyboard.follow("#account-password")
    await keyboard.type("#password", NEW_PASSWORD)
    await keyboard.follow("#password-submit")
    await says(keyboard, "has been changed")
    await sign_out(keyboard, provider)
    await keyboard.open(provider.uri(ACCOUNT))
    await provider.log_in(keyboard, user, NEW_PASSWORD)
    await keyboard.is_at(user.username)


async def sign_out(keyboard: KeyboardUser, provider: Provider) -> None:
    """By the link of every page of the account."""
    await keyboard.follow(f"footer a[href='{LOGOUT}']")
    await keyboard.follow("#logout-confirm")
    await keyboard.is_at("You are signed out")


async def test_an_authenticator_app(unscripted: KeyboardUser, provider: Provider) -> None:
    """It is added with a wrong code first, its recovery codes are renewed, and it is removed."""
    user = await provider.user()
    await provider.open_account(unscripted, user)
    await unscripted.follow("#account-totp-add")
    await unscripted.reach("#secret")
    secret = b32decode((await unscripted.page.locator("#secret").inner_text()).replace(" ", ""))
    await unscripted.type("#code", WRONG)
    await unscripted.follow("#totp-submit")
    await expect(unscripted.page.locator("#code")).to_be_focused()
    await unscripted.type("#code", code(secret))
    await unscripted.follow("#totp-submit")
    first = await unscripted.page.locator("#recovery-codes code").all_inner_texts()
    await unscripted.follow("#recovery-continue")
    await sign_out(unscripted, provider)
    await unscripted.open(provider.uri(ACCOUNT))
    await provider.log_in(unscripted, user)
    await unscripted.type("#code", code(secret, later=1))
    await unscripted.follow("#code")
    await unscripted.follow("#account-totp")
    await unscripted.follow("#recovery-renew")
    renewed = await unscripted.page.locator("#recovery-codes code").all_inner_texts()
    assert len(renewed) == 10
    assert set(renewed).isdisjoint(first)
    await unscripted.follow("#recovery-continue")
    await unscripted.follow("#account-totp")
    await unscripted.follow("#totp-remove")
    await says(unscripted, "has been removed")
    await expect(unscripted.page.locator("#account-totp-add")).to_be_visible()


async def test_sessions_elsewhere(unscripted: KeyboardUser, provider: Provider) -> None:
    """One is ended, and then all others."""
    user = await provider.user()
    for _ in range(3):
        await provider.begin_session(user)
    await provider.open_account(unscripted, user)
    await unscripted.follow("nav.sections a:nth-child(2)")
    rows = unscripted.page.locator(".rows > li")
    await expect(rows).to_have_count(4)
    await unscripted.follow("button[name=sid]")
    await says(unscripted, "has been signed out")
    await expect(rows).to_have_count(3)
    await unscripted.follow("#sessions-end-others")
    await says(unscripted, "All other devices")
    await expect(rows).to_have_count(1)


async def test_an_application_is_disconnected(unscripted: KeyboardUser, provider: Provider) -> None:
    """What it may do is shown first; afterwards it has to ask again."""
    await unscripted.open(provider.request())
    await provider.log_in(unscripted, await provider.user())
    await unscripted.follow("#consent-allow")
    await arrived(unscripted.page)
    await unscripted.open(provider.uri(ACCOUNT_CONNECTIONS))
    await unscripted.press("summary", "Space")
    await expect(unscripted.page.locator(".rows details")).to_contain_text("See your email address")
    await unscripted.follow("button[name=client_id]")
    await says(unscripted, "no longer has access")
    await unscripted.open(provider.request(prompt="none"))
    assert (await arrived(unscripted.page))["error"] in ("consent_required", "login_required")


async def test_a_token_for_a_script(keyboard: KeyboardUser, provider: Provider) -> None:
    """It is made with a name, a lifetime and a scope, shown once, and revoked."""
    await provider.open_account(keyboard, await provider.user())
    await keyboard.follow("#account-tokens")
    await keyboard.type("#name", "Backup")
    await keyboard.reach("#days")
    await keyboard.page.keyboard.type("90")
    await keyboard.press("#scope-email", "Space")
    await keyboard.follow("#account-token-add")
    await keyboard.reach("#token")
    await expect(keyboard.page.locator("#token")).to_have_text(re.compile("^ostp_[0-9A-Za-z]{49}$"))
    await keyboard.follow("#token-continue")
    await keyboard.press("summary")
    await expect(keyboard.page.locator(".rows")).to_contain_text("See your email address")
    await keyboard.follow("button[name=revoke]", "Space")
    await says(keyboard, "has been revoked")
    await expect(keyboard.page.locator(".rows")).to_have_count(0)


async def test_ones_data_and_the_end_of_the_account(unscripted: KeyboardUser, provider: Provider) -> None:
    """A copy is downloaded; another name deletes nothing, one's own deletes the account."""
    user = await provider.user()
    await provider.open_account(unscripted, user)
    await unscripted.follow("#account-data")
    async with unscripted.page.expect_download() as download:
        await unscripted.press("#data-download")
    data = json.loads((await (await download.value).path()).read_text("utf-8"))
    assert data["user"]["username"] == user.username
    await unscripted.type("#confirm", "somebody")
    await unscripted.follow("#account-delete")
    await expect(unscripted.page.locator("#confirm")).to_be_focused()
    await unscripted.type("#confirm", user.username)
    await unscripted.follow("#account-delete")
    await unscripted.is_at("You are signed out")
    assert await provider.world.stores.users.find(user.user_id) is None


async def test_activity(unscripted: KeyboardUser, provider: Provider) -> None:
    """The sign-in is in it, and the sections of the account lead to each other."""
    await provider.open_account(unscripted, await provider.user())
    await unscripted.follow("nav.sections a:nth-child(4)")
    await expect(unscripted.page.locator(".rows")).to_contain_text("Signed in")
    await unscripted.follow("nav.sections a:nth-child(1)")
    await expect(unscripted.page.locator("#account-data")).to_be_visible()
