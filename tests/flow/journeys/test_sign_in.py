"""Signing in and out, from a client's request to its response, by keyboard alone."""

from base64 import b32decode
from urllib.parse import urlencode

from playwright.async_api import expect

from shared.identity.passwords import hash_password
from shared.identity.recovery_codes import recovery_code_hash
from shared.model import User
from shared.oauth.supported import DEVICE_CODE
from shared.paths import ACCOUNT, DEVICE, DEVICE_AUTHORIZATION, END_SESSION, TOKEN
from shared.store import NewSecondFactor
from tests.authorization import PASSWORD
from tests.flow.journeys.keyboard import KeyboardUser
from tests.flow.journeys.provider import ESSENTIAL_SECOND_FACTOR, Provider
from tests.flow.test_sign_in_browser import arrived
from tests.second_factors import RECOVERY_CODES, SECRET, WRONG, code

NEW_PASSWORD = "four words nobody guesses"


async def add_app(provider: Provider, user: User) -> None:
    """Give the user an authenticator app with SECRET, and RECOVERY_CODES."""
    hashes = [recovery_code_hash(user.user_id, each) for each in RECOVERY_CODES]
    new = NewSecondFactor(secret=SECRET, step=0, recovery_hashes=hashes)
    await provider.world.stores.second_factors.add(user.user_id, new)


async def test_a_password_and_consent(keyboard: KeyboardUser, provider: Provider) -> None:
    """A wrong password first, which is told where it is typed again; then access is allowed."""
    user = await provider.user()
    await keyboard.open(provider.request())
    await provider.log_in(keyboard, user, "not the password")
    await expect(keyboard.page.get_by_role("alert")).to_contain_text("do not match")
    await expect(keyboard.page.locator("#username")).to_have_value(user.username)
    await expect(keyboard.page.locator("#password")).to_be_focused()
    await keyboard.type("#password", PASSWORD)
    await keyboard.follow("#password")  # Enter in a field sends the form
    await keyboard.follow("#consent-allow")
    assert "code" in await arrived(keyboard.page)


async def test_access_is_denied(keyboard: KeyboardUser, provider: Provider) -> None:
    """The button beside the one that allows it, by the space bar."""
    await keyboard.open(provider.request())
    await provider.log_in(keyboard, await provider.user())
    await keyboard.follow("#consent-deny", "Space")
    assert (await arrived(keyboard.page))["error"] == "access_denied"


async def test_a_sign_in_is_cancelled(keyboard: KeyboardUser, provider: Provider) -> None:
    """The link below the form leads back to the client."""
    await keyboard.open(provider.request())
    await keyboard.follow("a.secondary")
    assert (await arrived(keyboard.page))["error"] == "access_denied"


async def test_a_temporary_password(keyboard: KeyboardUser, provider: Provider) -> None:
    """Its user chooses another one first, not the same again, and goes on to the client."""
    user = await provider.user()
    password_hash = hash_password(PASSWORD)
    await provider.world.stores.credentials.set_password(user.user_id, password_hash, is_temporary=True)
    await keyboard.open(provider.request())
    await provider.log_in(keyboard, user)
    await keyboard.is_at("Choose a new password")
    await keyboard.type("#password", PASSWORD)
    await keyboard.follow("#password-submit")
    await expect(keyboard.page.get_by_role("alert")).to_contain_text("already have")
    await keyboard.type("#password", NEW_PASSWORD)
    await keyboard.follow("#password-submit")
    await keyboard.follow("#consent-allow")
    assert "code" in await arrived(keyboard.page)


async def test_the_code_of_an_app(keyboard: KeyboardUser, provider: Provider) -> None:
    """A wrong code first."""
    user = await provider.user()
    await add_app(provider, user)
    await keyboard.open(provider.request())
    await provider.log_in(keyboard, user)
    await keyboard.is_at("Enter your code")
    await keyboard.type("#code", WRONG)
    await keyboard.follow("#totp-submit")
    await expect(keyboard.page.get_by_role("alert")).to_contain_text("wrong")
    await keyboard.type("#code", code())
    await keyboard.follow("#code")
    await keyboard.follow("#consent-allow")
    assert "code" in await arrived(keyboard.page)


async def test_a_recovery_code(keyboard: KeyboardUser, provider: Provider) -> None:
    """Its form opens and closes by the keyboard."""
    user = await provider.user()
    await add_app(provider, user)
    await keyboard.open(provider.request())
    await provider.log_in(keyboard, user)
    for key in ("Enter", "Space", "Enter"):
        await keyboard.press("summary", key)
    await keyboard.type("#recovery_code", RECOVERY_CODES[0])
    await keyboard.follow("#recovery-submit")
    await keyboard.follow("#consent-allow")
    assert "code" in await arrived(keyboard.page)


async def test_a_client_demands_a_second_factor(keyboard: KeyboardUser, provider: Provider) -> None:
    """A user who has none adds an app by its key, and sees the recovery codes."""
    await keyboard.open(provider.request(claims=ESSENTIAL_SECOND_FACTOR))
    await provider.log_in(keyboard, await provider.user())
    await keyboard.is_at("Set up a second step")
    await keyboard.reach("#secret")
    shown = (await keyboard.page.locator("#secret").inner_text()).replace(" ", "")
    await keyboard.type("#code", code(b32decode(shown)))
    await keyboard.follow("#totp-submit")
    await expect(keyboard.page.locator("#recovery-codes code")).to_have_count(10)
    await keyboard.follow("#recovery-continue")
    await keyboard.follow("#consent-allow")
    assert "code" in await arrived(keyboard.page)


async def test_a_stranger_signs_up(keyboard: KeyboardUser, provider: Provider) -> None:
    """From the login page; a taken name is told where it is typed."""
    user = await provider.user()
    await keyboard.open(provider.request())
    await keyboard.follow("#sign-up")
    await keyboard.type("#username", user.username)
    await keyboard.type("#password", PASSWORD)
    await keyboard.type("#name", "Zoë")
    await keyboard.type("#email", f"zoe-{user.username}@example.org")
    await keyboard.follow("#signup-submit")
    await expect(keyboard.page.get_by_role("alert")).to_contain_text("taken")
    await expect(keyboard.page.locator("#username")).to_be_focused()
    await expect(keyboard.page.locator("#name")).to_have_value("Zoë")
    await expect(keyboard.page.locator("#email")).not_to_have_value("")
    await keyboard.type("#username", f"zoe-{user.username}")
    await keyboard.type("#password", PASSWORD)
    await keyboard.follow("#signup-submit")
    await keyboard.follow("#consent-allow")
    assert "code" in await arrived(keyboard.page)


async def test_one_of_two_accounts(unscripted: KeyboardUser, provider: Provider) -> None:
    """Another account, beside the one that is signed in; then the first one again."""
    first, second = await provider.user(), await provider.user()
    await keyboard_signs_in(unscripted, provider, first)
    await unscripted.open(provider.request(prompt="select_account"))
    await unscripted.follow("#account-other")
    await provider.log_in(unscripted, second)
    await unscripted.follow("#consent-allow")
    await unscripted.open(provider.request(prompt="select_account"))
    await unscripted.follow(f"button.account:has-text('{first.username}')", "Space")
    assert "code" in await arrived(unscripted.page)


async def keyboard_signs_in(keyboard: KeyboardUser, provider: Provider, user: User) -> None:
    """From the client's request to its response."""
    await keyboard.open(provider.request())
    await provider.log_in(keyboard, user)
    await keyboard.follow("#consent-allow")
    assert "code" in await arrived(keyboard.page)


async def test_a_device_is_connected(keyboard: KeyboardUser, provider: Provider) -> None:
    """A wrong code first; then the device gets its tokens."""
    client = await provider.world.public_client(
        grant_types=(DEVICE_CODE, "refresh_token"), redirect_uris=(), response_types=()
    )
    asked = {"client_id": client.client_id, "scope": "openid offline_access"}
    device = await provider.post(DEVICE_AUTHORIZATION, asked)
    await keyboard.open(provider.uri(DEVICE))
    await keyboard.type("#user_code", "BBBB-BBBB")
    await keyboard.follow("#device-continue")
    await provider.log_in(keyboard, await provider.user())  # nobody else learns which codes there are
    await expect(keyboard.page.get_by_role("alert")).to_contain_text("wrong")
    await expect(keyboard.page.locator("#user_code")).to_be_focused()
    await keyboard.type("#user_code", device["user_code"])
    await keyboard.follow("#device-continue")
    await keyboard.is_at("Connect this device?")
    await keyboard.follow("#consent-allow")
    await keyboard.is_at("Device connected")
    form = {**asked, "grant_type": DEVICE_CODE, "device_code": device["device_code"]}
    assert (await provider.post(TOKEN, form))["access_token"]


async def test_a_client_signs_the_user_out(keyboard: KeyboardUser, provider: Provider) -> None:
    """The question is answered, and the browser is back at the client."""
    await keyboard_signs_in(keyboard, provider, await provider.user())
    query = {
        "client_id": provider.client.client_id,
        "post_logout_redirect_uri": provider.client.post_logout_redirect_uris[0],
        "state": "bye",
    }
    await keyboard.open(f"{provider.uri(END_SESSION)}?{urlencode(query)}")
    await keyboard.follow("#logout-confirm")
    assert await arrived(keyboard.page) == {"state": "bye"}
    await keyboard.open(provider.request(prompt="none"))
    assert (await arrived(keyboard.page))["error"] == "login_required"


async def test_a_forgotten_password(keyboard: KeyboardUser, provider: Provider) -> None:
    """The link comes by mail; its page sets a password, and nobody types their name again."""
    user = await provider.user()
    await keyboard.open(provider.uri(ACCOUNT))
    await keyboard.follow("#forgotten")
    await keyboard.type("#username", user.username)
    await keyboard.follow("#forgotten-submit")
    await keyboard.is_at("Check your email")
    mail = await provider.mail_to(str(user.claims["email"]))
    (link,) = (line for line in mail.splitlines() if line.startswith(provider.origin))
    await keyboard.open(link)
    await keyboard.type("#password", "password 1234567")
    await keyboard.follow("#password-submit")
    await expect(keyboard.page.get_by_role("alert")).to_contain_text("attackers try first")
    await keyboard.type("#password", NEW_PASSWORD)
    await keyboard.press("#sign-out-others", "Space")
    await keyboard.follow("#password-submit")
    await keyboard.follow("#recovered-sign-in")
    await expect(keyboard.page.locator("#username")).to_have_value(user.username)
    await keyboard.type("#password", NEW_PASSWORD)
    await keyboard.follow("#login-submit")
    await keyboard.is_at(user.username)
