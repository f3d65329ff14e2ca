"""Passkeys by keyboard alone, with a phone that keeps them. They need script."""

from playwright.async_api import expect

from shared.paths import ACCOUNT, LOGOUT
from tests.authenticator import Authenticator
from tests.flow.journeys.keyboard import KeyboardUser
from tests.flow.journeys.provider import ESSENTIAL_SECOND_FACTOR, Provider
from tests.flow.test_sign_in_browser import arrived
from tests.passkeys import a_phone, add_passkey

NOT_SUGGESTED = "delete PublicKeyCredential.isConditionalMediationAvailable"
"""A browser that suggests no passkeys where the user name is typed, so that the button is used."""


async def test_a_passkey_is_added_used_and_removed(scripted: KeyboardUser, provider: Provider) -> None:
    """It gets a name, signs in by the button, and goes."""
    page = scripted.page
    phone = await a_phone(page)
    await page.add_init_script(NOT_SUGGESTED)
    await provider.open_account(scripted, await provider.user())
    await scripted.follow("#account-passkey-add")
    await scripted.type("#name", "My phone")
    await scripted.follow("#account-passkey-add")
    await expect(page.get_by_role("status")).to_contain_text("has been added")
    await expect(page.locator(".rows")).to_contain_text("My phone")
    await scripted.open(provider.uri(LOGOUT))
    await scripted.follow("#logout-confirm")
    await scripted.open(provider.uri(ACCOUNT))
    await scripted.follow("#passkey-login", "Space")
    await scripted.follow("#account-passkeys")
    await scripted.follow("button[name=remove]")
    await expect(page.get_by_role("status")).to_contain_text("has been removed")
    await expect(page.locator(".rows")).to_have_count(0)
    await phone.forgets()


async def test_a_passkey_confirms_a_password(scripted: KeyboardUser, provider: Provider) -> None:
    """Where the client demands a second factor."""
    user, authenticator = await provider.user(), Authenticator(provider.origin)
    await add_passkey(provider.world, user, authenticator, provider.origin)
    await scripted.page.add_init_script(NOT_SUGGESTED)
    phone = await a_phone(scripted.page)
    await phone.keep(authenticator, user)
    await scripted.open(provider.request(claims=ESSENTIAL_SECOND_FACTOR))
    await provider.log_in(scripted, user)
    await scripted.is_at("Confirm with your passkey")
    await scripted.follow("#passkey-login")
    await scripted.follow("#consent-allow")
    assert "code" in await arrived(scripted.page)
