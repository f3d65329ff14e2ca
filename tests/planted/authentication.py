"""Planted defects of how an authentication is described."""

import pytest

from services.authorization.authentication import authenticated, new_session
from services.authorization.authentication.known_browsers import KnownBrowsers
from services.authorization.steps.sign_up import SignUpStep
from shared.live.randomness import new_handle, new_id
from shared.model import Session
from shared.oauth import authentication_methods
from shared.oauth.authentication_methods import ACR_PASSWORD, CLASSES
from shared.store.redis.sessions import RedisSessionContents


def writes_a_constant(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every session has the `acr` of a password."""
    monkeypatch.setattr(authenticated, "acr_of", lambda methods: ACR_PASSWORD)


def announces_a_class_that_nobody_reaches(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table has a weaker class before a stronger one."""
    hidden = (*CLASSES, (frozenset(authentication_methods.Method), "urn:test:hidden"))
    for module in ("shared.oauth.authentication_methods", "tests.unit.test_authentication_methods"):
        monkeypatch.setattr(f"{module}.CLASSES", hidden)


def begins_under_a_random_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """A form that is sent again begins a session of its own."""
    monkeypatch.setattr(new_session, "derived_handle", lambda kind, *_: new_handle(kind))


def forgets_whom_a_form_has_added(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each sending of a sign-up form adds another user, whose name its own first sending has taken."""
    monkeypatch.setattr(SignUpStep, "_user_id", lambda *_: new_id())


def drops_the_contents_of_a_form_sent_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """The session that the browser presents is dropped, even if it is the one that goes on."""
    put = RedisSessionContents.put

    async def dropping(self: RedisSessionContents, session: Session, replaced_key: bytes | None) -> None:
        await put(self, session, replaced_key)
        if replaced_key:
            await self.drop(replaced_key)

    monkeypatch.setattr(RedisSessionContents, "put", dropping)


def tells_of_every_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each sign-in is mailed to its user, whichever browser it is in."""
    monkeypatch.setattr(KnownBrowsers, "identify", lambda self, request, user_id, epoch: None)
