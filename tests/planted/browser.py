"""Planted defects of cookies, forms and the end of sessions."""

import re
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from services.authorization.interaction.interaction import Interaction
from services.authorization.logout.responses import LogoutResponses
from services.authorization.request.posted import PostedRequests
from shared.browser import cookie_header
from shared.browser.cookies import Cookies
from shared.oauth.parameters import Parameters
from shared.paths import Path
from shared.store import SessionOwner, Unavailable
from shared.store.sessions import KeptSessions


def forgets_before_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A logout that is not complete drops the cookies, so its repetition finds no session."""
    incomplete = LogoutResponses.incomplete

    def forget(self: LogoutResponses, *arguments: Any) -> web.Response:
        response = incomplete(self, *arguments)
        self.cookies.clear_session(response)
        return response

    monkeypatch.setattr(LogoutResponses, "incomplete", forget)


def believes_redis_about_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that Redis does not know counts as ended while PostgreSQL is down."""
    owner = KeptSessions.owner

    async def ask(self: KeptSessions, session_key: bytes, **more: Any) -> SessionOwner | None:
        try:
            return await owner(self, session_key, **more)
        except Unavailable:
            return None

    monkeypatch.setattr(KeptSessions, "owner", ask)


def trims_every_space(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every Unicode space around a cookie's name is removed."""
    monkeypatch.setattr(cookie_header, "_BLANK", None)


def takes_the_last_cookie(monkeypatch: pytest.MonkeyPatch) -> None:
    """If there are several cookies of one name, the last one counts."""
    values = Cookies._values

    def last(self: Cookies, request: web.Request, name: str) -> list[str]:
        return values(replace(self, is_secure=False), request, name)[-1:]

    monkeypatch.setattr(Cookies, "_values", last)


def binds_to_no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interaction accepts the form of any browser."""
    monkeypatch.setattr(Interaction, "is_of", lambda self, browser: True)
    handles = Cookies.browser_handles
    monkeypatch.setattr(
        Cookies, "browser_handles", lambda self, request: handles(self, request) or ("br_" + "A" * 43,)
    )


def knows_the_token_of_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A form without a session has a token without a secret, which anyone can compute."""

    def accept(self: LogoutResponses, request: web.Request, token: str | None) -> bool:
        return True

    monkeypatch.setattr(LogoutResponses, "is_own_form", accept)


def stores_whatever_is_posted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Posted requests are stored without a limit for each address."""
    keep = PostedRequests.keep

    async def without_limits(
        self: PostedRequests, path: Path, parameters: Parameters, known: Any, address: str
    ) -> str:
        unlimited = PostedRequests(self.interactions, self.counters, is_limited=False)
        return await keep(unlimited, path, parameters, known, address)

    monkeypatch.setattr(PostedRequests, "keep", without_limits)
    monkeypatch.setattr("services.authorization.request.posted.MAX_QUERY", 0)


def gives_a_browser_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """All handles of a browser have one cookie name, so that the last response replaces the others."""
    monkeypatch.setattr(Cookies, "_browser_name", lambda self, handle: "".join(self.browser))


def redirects_to_a_strangers_app(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that registered itself opens a program on the user's device without a page before it."""
    for module in ("response.callback", "interaction.consent_rules", "logout.decision"):
        monkeypatch.setattr(f"services.authorization.{module}.opens_a_strangers_app", lambda *_, **__: False)


def shows_whatever_is_called_a_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """The out-of-band page shows any text."""
    monkeypatch.setattr("services.authorization.pages.out_of_band._CODE", re.compile(".*", re.DOTALL))


def takes_any_visible_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sign-up accepts every user name that Python considers printable."""
    monkeypatch.setattr("services.authorization.authentication.new_user.prepared", lambda name: name)
    monkeypatch.setattr("shared.operations.user_rules.names.has_ignorable", lambda name: False)


def compares_names_by_their_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sign-up accepts a name that looks like another user's."""
    monkeypatch.setattr("shared.store.postgres.users.skeleton", lambda key: f"{key} and nobody's")
