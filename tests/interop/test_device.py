"""A third-party device client is authorized in a browser, over https, with its default checks."""

from urllib.parse import urlsplit

import pytest

from tests.flow.op import Op
from tests.flow.user_agent import UserAgent
from tests.interop.relying_party import conversation, node_program

SCOPE = "openid profile offline_access"
DEVICE = node_program("oauth4webapi_device.mjs", "oauth4webapi")


@pytest.mark.parametrize(("button", "is_allowed"), [("consent-allow", True), ("consent-deny", False)])
def test_a_device_is_authorized(op: Op, button: str, is_allowed: bool) -> None:
    """RFC 8628: pending, the page with the code filled in, sign-in, the decision, tokens or access_denied."""
    client = op.add_client(
        client_name="A television",
        grant_types=["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
        scope=SCOPE,
        token_endpoint_auth_method="none",
    )
    configuration = {"issuer": op.issuer, "client_id": client["client_id"], "scope": SCOPE}
    with conversation(DEVICE, op.ca_file, configuration) as talk:
        shown = talk.hear()
        url = shown["verification_uri_complete"]
        assert shown["early"] == "authorization_pending"
        assert urlsplit(url).path == "/oidc/device"
        browser = UserAgent(op.door)
        page = browser.press(browser.visit(url), "device-continue")
        page = browser.press(page, "login-submit", username=op.username, password=op.password)
        assert "A television" in page.text
        assert browser.press(page, button).status == 200
        talk.say("decided")
        learned = talk.hear()
    if not is_allowed:
        assert learned == {"refusal": "access_denied"}
        return
    assert "error" not in learned, learned
    assert learned["claims"]["iss"] == op.issuer
    assert learned["userinfo"]["sub"] == learned["refreshed_sub"] == learned["claims"]["sub"]
