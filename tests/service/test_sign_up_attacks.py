"""Attacks on sign-up, and races."""

import asyncio
import re
from collections.abc import Iterable
from typing import Any

import pytest

from shared.identity.username import prepared
from shared.operations.user_rules.bad_user import BadUser
from shared.operations.user_rules.names import check_username
from shared.paths import SIGN_UP
from tests.authorization import (
    PASSWORD,
    AuthorizationService,
    is_consent,
    is_error_page,
)
from tests.planted import planted
from tests.planted.browser import compares_names_by_their_letters, takes_any_visible_name
from tests.sign_up import a_name, a_stranger, is_asked_again, sign_up, user_named

MARKUP = "\"><script>alert('x')</script>"


async def how_many(op: AuthorizationService, usernames: Iterable[str]) -> int:
    """The number of these names that are taken."""
    found = [await user_named(op, username) for username in usernames]
    return sum(user is not None for user in found)


@pytest.mark.parametrize("spelling", [str, str.upper, " {} ".format, lambda name: name.replace("z", "ｚ")])
async def test_a_name_that_is_taken(open_op: AuthorizationService, spelling: Any) -> None:
    """A taken name is refused in every spelling."""
    browser, page = await a_stranger(open_op)
    owner = await open_op.user(username=a_name())
    taken = await sign_up(browser, page, spelling(owner.username), password="another one altogether")
    assert is_asked_again(taken, "username")
    assert "That username is taken" in taken.text
    assert "code" in (await open_op.browser().sign_in(await open_op.client(), owner)).answer
    assert is_consent(await sign_up(browser, taken, a_name()))


async def test_an_address_is_taken_by_its_owner_alone(open_op: AuthorizationService) -> None:
    """A user name must not look like an e-mail address."""
    browser, page = await a_stranger(open_op)
    for username in (f"{a_name()}@example.org", f"{a_name()}＠example.org", "@"):
        page = await sign_up(browser, page, username)
        assert is_asked_again(page, "username")
        assert await user_named(open_op, username) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", ""),
        ("username", "   "),
        ("username", "x" * 201),
        ("username", "a\u202eb"),
        ("username", "a\nb"),
        ("username", "a\u200bb"),
        ("password", ""),
        ("password", "gjwmqzvt xkcdr"),
        ("password", "x" * 1025),
        ("password", "Sunshine 20261225"),
        ("password", "tab\tand more tabs"),
        ("password", "Zo\u00eb Fischer 1985"),
        ("name", "x" * 201),
        ("name", "a\u202eb"),
        ("name", "a\rb"),
        ("email", "zoe"),
        ("email", "@example.org"),
        ("email", "zoe@"),
        ("email", "zoe @example.org"),
        ("email", "zoe\u0007@example.org"),
        ("email", "x" * 243 + "@example.org"),
    ],
)
async def test_what_cannot_be_is_asked_for_again(
    open_op: AuthorizationService, field: str, value: str
) -> None:
    """Invalid fields are marked, and the input except the password is kept."""
    browser, page = await a_stranger(open_op)
    name = a_name()
    typed = {"username": name, "name": "Zoë Fischer", "email": "zoe@example.org", field: value}
    again = await sign_up(browser, page, **typed)
    assert is_asked_again(again, field)
    assert re.search(r'role="alert">.*?<p>\w', again.text, re.DOTALL)
    assert PASSWORD not in again.text
    assert field != "password" or not value or value not in again.text
    assert await user_named(open_op, name) is None
    assert is_consent(await sign_up(browser, again, name))


async def test_a_field_twice_is_none(open_op: AuthorizationService) -> None:
    """Neither value counts."""
    browser, page = await a_stranger(open_op)
    one, two = a_name(), a_name()
    fields = [*page.hidden.items(), ("username", one), ("username", two), ("password", PASSWORD)]
    assert is_asked_again(await browser.request("POST", SIGN_UP.path, data=fields), "username")
    assert await how_many(open_op, (one, two)) == 0


@pytest.mark.parametrize("bad", [b"%00", b"%ff", b"%c0%af", b"%ed%a0%80", b"x" * 17_000, b"x" * 900_000])
async def test_bytes_that_are_no_text_and_far_too_many(open_op: AuthorizationService, bad: bytes) -> None:
    """An error page."""
    browser, page = await a_stranger(open_op)
    whole = "&".join(f"{name}={value}" for name, value in page.hidden.items()).encode()
    for field in (b"username", b"password", b"name", b"email"):
        body = b"%s&%s=%s" % (whole, field, bad)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        refused = await browser.request("POST", SIGN_UP.path, data=body, headers=headers)
        assert refused.status in (400, 413)
        assert is_error_page(refused)


async def test_markup_is_shown_as_text(open_op: AuthorizationService) -> None:
    """Markup in a name is shown as text."""
    browser, page = await a_stranger(open_op)
    name = f"{a_name()}{MARKUP}"
    again = await sign_up(browser, page, name, name=MARKUP, email=MARKUP)
    assert is_asked_again(again, "email")
    consent = await sign_up(browser, again, name, name=MARKUP)
    assert is_consent(consent)
    for shown in (again, consent):
        assert "<script>alert" not in shown.text


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.test"}],
)
async def test_a_form_of_another_site_adds_nobody(
    open_op: AuthorizationService, headers: dict[str, str]
) -> None:
    """403, without a cookie."""
    browser, page = await a_stranger(open_op)
    fields = {**page.hidden, "username": (name := a_name()), "password": PASSWORD}
    refused = await browser.post(SIGN_UP.path, fields, headers=headers)
    assert (refused.status, refused.cookies) == (403, ())
    assert await user_named(open_op, name) is None


@pytest.mark.parametrize("token", ["", "0" * 64, "é"])
async def test_a_form_without_its_token_adds_nobody(open_op: AuthorizationService, token: str) -> None:
    """A form without its token adds no user."""
    browser, page = await a_stranger(open_op)
    refused = await sign_up(browser, page, name := a_name(), form_token=token)
    assert refused.status == 403
    assert is_error_page(refused)
    other = await browser.authorize(await open_op.client(), prompt="create")
    mixed = {"interaction": other.hidden["interaction"], "form_token": page.hidden["form_token"]}
    assert (await sign_up(browser, page, name, **mixed)).status == 403
    assert await user_named(open_op, name) is None


async def test_the_interaction_of_another_browser(open_op: AuthorizationService) -> None:
    """Nobody is signed in, unasked, as the user whom somebody else made up."""
    _, page = await a_stranger(open_op)
    victim, _ = await a_stranger(open_op)
    shown = await victim.get(SIGN_UP.path, {"interaction": page.hidden["interaction"]})
    sent = await sign_up(victim, page, name := a_name())
    for refused in (shown, sent):
        assert refused.status == 403
        assert is_error_page(refused)
    assert await user_named(open_op, name) is None


@pytest.mark.parametrize("handle", ["", "in_", "in_" + "A" * 43, "se_" + "A" * 43, "é", "x" * 3000])
async def test_an_interaction_that_is_none(open_op: AuthorizationService, handle: str) -> None:
    """Shown or sent: a page."""
    browser, page = await a_stranger(open_op)
    assert (await browser.get(SIGN_UP.path, {"interaction": handle})).status == 410
    assert (await sign_up(browser, page, name := a_name(), interaction=handle)).status == 410
    assert await user_named(open_op, name) is None


async def test_a_form_sent_again_adds_nobody_else(open_op: AuthorizationService) -> None:
    """A repeated form adds no second user."""
    browser, page = await a_stranger(open_op)
    consent = await sign_up(browser, page, name := a_name())
    for username in (name, other := a_name()):
        assert name in (again := await sign_up(browser, page, username)).text
        assert is_consent(again)
    assert "code" in (await browser.decide(consent)).answer
    assert (await sign_up(browser, page, other)).status == 410
    assert await user_named(open_op, other) is None


async def test_a_form_sent_many_times_at_once_gives_one_user_and_one_code(
    open_op: AuthorizationService,
) -> None:
    """Of many concurrent forms, one adds a user and gets a code."""
    browser, page = await a_stranger(open_op, skip_consent=True)
    before = await open_op.world.audited("user_added")
    pages = await asyncio.gather(*(sign_up(browser, page, name) for name in [a_name()] * 10))
    assert [one.is_at_client for one in pages].count(True) == 1
    assert {one.status for one in pages} <= {303, 400, 410}
    assert await open_op.world.audited("user_added") == before + 1


async def test_of_two_who_want_one_name_one_gets_it(open_op: AuthorizationService) -> None:
    """Two browsers, two requests, two spellings: one user, whose password is the winner's."""
    strangers = [await a_stranger(open_op) for _ in range(6)]
    name = a_name()
    spellings = [name if n % 2 else name.upper() for n in range(6)]
    pages = await asyncio.gather(
        *(
            sign_up(browser, page, spelling, password=f"{PASSWORD} {n}")
            for n, ((browser, page), spelling) in enumerate(zip(strangers, spellings, strict=True))
        )
    )
    won = [n for n, page in enumerate(pages) if is_consent(page)]
    assert len(won) == 1
    assert all(is_asked_again(page, "username") for n, page in enumerate(pages) if n not in won)
    user = await user_named(open_op, name)
    assert user
    assert user.username == prepared(spellings[won[0]])
    for n in range(6):
        browser = open_op.browser()
        page = await browser.authorize(await open_op.client())
        assert is_consent(await browser.log_in(page, user, f"{PASSWORD} {n}")) == (n in won)


@planted(takes_any_visible_name)
@pytest.mark.parametrize("character", ["\u034f", "\ufe0f", "\u3164", "\u115f", "\U000e0101"])
async def test_a_name_with_a_character_that_nobody_sees(
    open_op: AuthorizationService, character: str
) -> None:
    """It would look like another's: asked again, and nobody is added, by an operator neither."""
    browser, page = await a_stranger(open_op)
    owner = await open_op.user(username=a_name())
    for name in (f"{owner.username}{character}", f"{character}{owner.username}"):
        page = await sign_up(browser, page, name)
        assert is_asked_again(page, "username")
        assert await user_named(open_op, name) is None
        with pytest.raises(BadUser):
            check_username(name)


@planted(compares_names_by_their_letters)
@pytest.mark.parametrize(
    "disguise",
    [
        lambda name: name.replace("o", "\u043e"),  # Cyrillic
        lambda name: name.replace("e", "\u0435").replace("o", "\u03bf"),
        lambda name: name.replace("z", "\u1d22"),
    ],
)
async def test_a_name_that_looks_like_another_s(open_op: AuthorizationService, disguise: Any) -> None:
    """UTS 39: taken, as the name itself is; and of many at once that look alike one is added."""
    browser, page = await a_stranger(open_op)
    owner = await open_op.user(username=a_name())
    taken = await sign_up(browser, page, disguise(owner.username))
    assert is_asked_again(taken, "username")
    assert await user_named(open_op, disguise(owner.username)) is None


@planted(compares_names_by_their_letters)
async def test_of_lookalikes_at_once_one_is_added(open_op: AuthorizationService) -> None:
    """Of concurrent look-alike names, one is added."""
    name = a_name()
    names = [name, name.replace("o", "\u043e"), name.replace("z", "\u1d22"), name.replace("e", "\u0435")]
    strangers = [await a_stranger(open_op) for _ in names]
    await asyncio.gather(
        *(sign_up(browser, page, each) for (browser, page), each in zip(strangers, names, strict=True))
    )
    assert await how_many(open_op, names) == 1
