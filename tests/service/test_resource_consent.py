"""Consent to access at the APIs that a client names (RFC 8707)."""

from uuid import uuid4

import pytest

from tests.authorization import AuthorizationService, is_consent
from tests.planted import planted
from tests.planted.resources import (
    everything_is_asked_again,
    identifiers_are_compared_as_written,
    texts_have_one_language,
)
from tests.service.test_resources import SCOPE, an_api


@planted(identifiers_are_compared_as_written)
@pytest.mark.point("RI2")
async def test_the_grant_is_for_the_apis_of_the_request(
    authorization_service: AuthorizationService,
) -> None:
    """The code carries them by their canonical form, and the consent page names the API and its scopes."""
    service = authorization_service
    client, user = await service.client(scope=SCOPE, remember_consent=True), await service.user()
    name = f"Notes-{uuid4().hex[:8]}"
    host = f"{name}.example.org"
    await an_api(service, resource=f"https://{host}", name=name)
    browser = service.browser()
    page = await browser.log_in(
        await browser.authorize(client, scope="openid read", resource=f"https://{host.lower()}/"), user
    )
    page = await browser.follow(page)
    assert is_consent(page)
    assert "Read your notes" in page.text
    assert name in page.text
    code = await service.code(await browser.decide(page))
    assert code.authorization.resources == (f"https://{host.lower()}/",)


@planted(everything_is_asked_again)
@pytest.mark.point("MC11")
async def test_consent_asks_for_what_is_new(authorization_service: AuthorizationService) -> None:
    """A client that steps up requests all its scopes again; the page shows those not yet allowed."""
    service = authorization_service
    client, user = await service.client(scope=SCOPE, remember_consent=True), await service.user()
    api, browser = await an_api(service), service.browser()
    page = await browser.authorize(client, scope="openid read", resource=api.resource)
    page = await browser.follow(await browser.log_in(page, user))
    assert "Read your notes" in page.text
    assert (await browser.decide(page)).is_at_client
    again = await browser.follow(
        await browser.authorize(client, scope="openid read write", resource=api.resource)
    )
    assert is_consent(again)
    assert "Read your notes" not in again.text
    assert "write" in again.text
    assert (await browser.decide(again)).is_at_client
    assert (await browser.authorize(client, scope="openid read write", resource=api.resource)).is_at_client


@planted(texts_have_one_language)
@pytest.mark.point("RI2")
async def test_scopes_are_told_in_the_users_language(authorization_service: AuthorizationService) -> None:
    """The text in the language of the page, else in English, else the scope; WCAG 2.2 §3.1.2: which it is."""
    service = authorization_service
    client, user = await service.client(scope=SCOPE), await service.user()
    texts = {
        "read": {"en": "Read your notes", "fr": "Lire vos notes"},
        "write": {"en": "Write notes"},
        "other": {},
    }
    api, browser = await an_api(service, scopes=texts), service.browser()
    page = await browser.authorize(
        client, scope="openid read write other", resource=api.resource, ui_locales="fr"
    )
    page = await browser.follow(await browser.log_in(page, user))
    for text in ('lang="fr">Lire vos notes<', 'lang="en">Write notes<', ">other<"):
        assert text in page.text
    assert "Read your notes" not in page.text
