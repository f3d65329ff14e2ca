"""Consent to access at the APIs that a client names (RFC 8707)."""

from uuid import uuid4

import pytest

from tests.authorization import AuthorizationService, is_consent
from tests.planted import planted
from tests.planted.resources import identifiers_are_compared_as_written
from tests.service.test_resources import SCOPE, an_api

pytestmark = pytest.mark.asyncio(loop_scope="module")


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
    api = await an_api(service, resource=f"https://{host}", name=name)
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
    again = await browser.authorize(client, scope="openid read write", resource=api.resource)
    assert is_consent(again := await browser.follow(again))
    assert "Read your notes" not in again.text
    assert "write" in again.text
