"""R5: recovery links by administrators who have just shown several factors, for nobody with more rights."""

from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.live import clock
from shared.model import Authentication
from shared.oauth.authentication_methods import ACR_MULTIPLE_FACTORS
from shared.oauth.resource.own import READ_USERS, WRITE_GROUPS, WRITE_USERS
from shared.oauth.tokens.handle import digest
from shared.operations.recovery import LINK
from shared.paths import ADMIN_USER_RECOVERY
from tests.administration import AdministrationApi, AdministrationResponse
from tests.builders import SignIn
from tests.deployment import bearer
from tests.planted import planted
from tests.planted.recovery import believes_one_factor, makes_links_to_superiors, names_nobody
from tests.service.test_administrators import a_console, an_administrator

SEVERAL = ("mfa", "otp", "pwd")


async def ask(
    admin: AdministrationApi, sign_in: SignIn, sub: str, *amr: str, minutes: int = 0
) -> AdministrationResponse:
    """Ask for a link, by a sign-in of this kind and age."""
    auth_time = clock.now().replace(microsecond=0) - timedelta(minutes=minutes)
    authentication = Authentication(auth_time=auth_time, acr=ACR_MULTIPLE_FACTORS, amr=amr)
    token = await admin.user_token(await a_console(admin), sign_in, authentication=authentication)
    return await admin.ask_with(bearer(token), "POST", ADMIN_USER_RECOVERY.of(sub=sub))


@planted(names_nobody)
async def test_an_administrator_makes_a_link(admin: AdministrationApi) -> None:
    """It works for 15 minutes and once; its page and the audit log say who made it."""
    sign_in, user = await an_administrator(admin, WRITE_USERS), await admin.world.user()
    answer = await ask(admin, sign_in, str(user.user_id), *SEVERAL)
    assert answer.status == 200
    left = datetime.fromisoformat(answer.body["expires_at"]) - clock.now()
    assert timedelta(minutes=14) < left <= timedelta(minutes=15)
    uri = urlsplit(answer.body["link"])
    page = await (await admin.http.get(f"{uri.path}?{uri.query}")).text()
    assert user.username in page
    assert sign_in.user.username in page
    rows = [row async for row in admin.world.audit_rows() if row["event"] == "recovery_link_made"]
    assert rows[-1]["detail"]["by_user"] == str(sign_in.user.user_id)
    (handle,) = parse_qs(uri.query)[LINK]
    links = admin.world.stores.recovery_links
    spent = [await links.set_password(digest(handle), user.user_id, "a hash") for _ in range(2)]
    assert spent == [True, False]


@planted(believes_one_factor)
@pytest.mark.parametrize(
    ("amr", "minutes", "asked"),
    [(("pwd",), 0, ("acr_values",)), (SEVERAL, 6, ("max_age",)), (("pwd",), 6, ("acr_values", "max_age"))],
)
async def test_the_administrator_has_just_shown_several_factors(
    admin: AdministrationApi, amr: tuple[str, ...], minutes: int, asked: tuple[str, ...]
) -> None:
    """RFC 9470: otherwise the challenge says what is missing, and there is no link."""
    sign_in, user = await an_administrator(admin, WRITE_USERS), await admin.world.user()
    answer = await ask(admin, sign_in, str(user.user_id), *amr, minutes=minutes)
    assert (answer.status, answer.body["error"]) == (401, "insufficient_user_authentication")
    challenge = answer.headers["WWW-Authenticate"]
    assert tuple(each for each in ("acr_values", "max_age") if each in challenge) == asked
    assert await admin.world.audited("recovery_link_made") == 0


@planted(believes_one_factor)
async def test_no_client_makes_a_link_for_itself(admin: AdministrationApi) -> None:
    """Whatever its scopes: it has shown no factor."""
    user = await admin.world.user()
    answer = await admin.ask("POST", ADMIN_USER_RECOVERY.of(sub=str(user.user_id)))
    assert (answer.status, answer.body["error"]) == (401, "insufficient_user_authentication")
    assert await admin.world.audited("recovery_link_made") == 0


@planted(makes_links_to_superiors)
async def test_nobody_recovers_a_user_with_more_rights(admin: AdministrationApi) -> None:
    """Nor themselves to rights that they have lost; one with the same rights is recovered."""
    sign_in = await an_administrator(admin, WRITE_USERS)
    for scopes, status in (((READ_USERS,), 403), ((WRITE_USERS, WRITE_GROUPS), 403), ((WRITE_USERS,), 200)):
        other = (await an_administrator(admin, *scopes)).user
        assert (await ask(admin, sign_in, str(other.user_id), *SEVERAL)).status == status


async def test_there_is_no_link_for_nobody(admin: AdministrationApi) -> None:
    """Neither for an unknown user nor for a disabled one."""
    sign_in, user = await an_administrator(admin, WRITE_USERS), await admin.world.user()
    await admin.world.stores.users.disable(user.user_id)
    assert (await ask(admin, sign_in, str(user.user_id), *SEVERAL)).status == 409
    assert (await ask(admin, sign_in, "00000000-0000-0000-0000-000000000000", *SEVERAL)).status == 404
