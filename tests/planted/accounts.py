"""Planted defects of accounts: what people do with their own."""

from typing import Any

import pytest
from aiohttp import web

from services.accounts.self_service import data, password
from services.accounts.self_service import profile as profile_page
from services.accounts.visit import access
from shared.browser.active_session import ActiveSessions
from shared.model import Session
from shared.operations import activity, profile
from shared.store import Unavailable
from shared.store.postgres import audit, consents, epochs, sessions


def keeps_clients_in_the_dark(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that a user disconnects is not told."""
    monkeypatch.setattr(consents, "TELL_CLIENT", "SELECT $1::uuid, $2::text")


def ends_anybodys_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any `sid` ends its session."""
    condition = "AND ($3::uuid IS NULL OR user_id = $3)"
    assert condition in sessions._END
    monkeypatch.setattr(sessions, "_END", sessions._END.replace(condition, "AND ($3::uuid IS NULL OR true)"))


def keeps_every_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is to be kept, every session goes on."""
    condition = "($2::uuid IS NULL OR sid = $2)"
    assert condition in epochs._CARRY_ON
    monkeypatch.setattr(
        epochs, "_CARRY_ON", epochs._CARRY_ON.replace(condition, "($2::uuid IS NULL OR true)")
    )


def keeps_every_grant(monkeypatch: pytest.MonkeyPatch) -> None:
    """Grants of sessions that end go on if they outlive sessions."""
    condition = "$3 AND is_offline"
    assert condition in epochs._CARRY_ON
    monkeypatch.setattr(epochs, "_CARRY_ON", epochs._CARRY_ON.replace(condition, "($3 OR is_offline)"))


def never_grows_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sign-in stays fresh."""
    monkeypatch.setattr(access, "is_fresh", lambda *_: True)


def asks_for_no_second_factor(monkeypatch: pytest.MonkeyPatch) -> None:
    """A password alone opens what is sensitive, whatever the user has."""

    async def nothing(*_: object) -> bool:
        return False

    monkeypatch.setattr(access.AccountAccess, "_lacks_second_factor", nothing)


def believes_any_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """The token of a form is not looked at."""
    monkeypatch.setattr(access, "is_form_token", lambda *_: True)


def believes_other_sites(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any site may send a form."""
    monkeypatch.setattr(access, "check_same_origin", lambda *_: None)


def signs_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every session goes on after a new password, whatever the user wants."""
    monkeypatch.setattr(password, "OTHERS", "a field that nobody sends")


def deletes_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is typed confirms the deletion."""
    monkeypatch.setattr(data, "canonical", lambda _: "")


def lets_users_write_what_is_mapped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Users change attributes that an operator has mapped to the claims of a client."""

    async def everything(_: object) -> tuple[str, ...]:
        return profile.EDITABLE

    monkeypatch.setattr(profile_page, "editable_claims", everything)


def lets_users_write_any_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the form sends is written."""
    claims = (*profile.EDITABLE, "roles", "email", "email_verified", "groupPath", "preferred_username")
    monkeypatch.setattr(profile, "EDITABLE", claims)
    monkeypatch.setattr(profile_page, "EDITABLE", claims)


def shows_everybodys_activity(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user sees the rows of all users."""
    condition = "user_id = $1"
    assert condition in audit._OF_USER
    monkeypatch.setattr(
        audit, "_OF_USER", audit._OF_USER.replace(condition, "($1::uuid IS NOT NULL AND user_id IS NOT NULL)")
    )


def names_administrators(monkeypatch: pytest.MonkeyPatch) -> None:
    """Users see who of the operators has changed their account."""
    monkeypatch.setattr(activity, "_OF_OTHERS", "nobody")


def an_outage_is_a_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user whose session cannot be looked up is asked to sign in."""
    find: Any = ActiveSessions.find

    async def careless(self: ActiveSessions, request: web.Request) -> Session | None:
        try:
            found: Session | None = await find(self, request)
        except Unavailable:
            return None
        return found

    monkeypatch.setattr(ActiveSessions, "find", careless)
