"""Planted defects of recovery links."""

import pytest
from aiohttp import web

from services.accounts.administration.users import UserAdministration
from services.accounts.recovery.throttle import RecoveryThrottle
from services.accounts.visit.holds import RecoveryHolds
from shared.administration.guard import Caller
from shared.browser.cookies import Cookies
from shared.identity.username import canonical
from shared.live.randomness import new_id
from shared.model import User
from shared.store import RecoveryContents
from shared.store.postgres import address_codes, recovery_links, users
from shared.store.postgres.recovery_requests import PostgresRecoveryRequests


def spends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A link stays where it is when it has set a password."""
    kept = "UPDATE recovery_links l SET expires_at = l.expires_at FROM users u"
    sql = recovery_links._SPEND.replace("DELETE FROM recovery_links l USING users u", kept)
    assert sql != recovery_links._SPEND
    monkeypatch.setattr(recovery_links, "_SPEND", sql.replace(" AND u.epoch = l.epoch", ""))
    monkeypatch.setattr(recovery_links, "_FIND", recovery_links._FIND.replace(" AND l.epoch = u.epoch", ""))


def takes_the_current_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """A link sets the password that its user has already."""
    sql = recovery_links._FIND.replace("p.data ->> 'hash'", "NULL")
    assert sql != recovery_links._FIND
    monkeypatch.setattr(recovery_links, "_FIND", sql)


def believes_any_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """The form of one browser's page works in another browser."""
    monkeypatch.setattr(Cookies, "browser_of_form", lambda self, request, token, purpose: "br_")


def outlives_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """A link works although its user has another password by now, or was disabled for a while."""
    for name in ("_FIND", "_SPEND"):
        sql = getattr(recovery_links, name)
        without = sql.replace(" AND l.epoch = u.epoch", "").replace(" AND u.epoch = l.epoch", "")
        assert sql != without
        monkeypatch.setattr(recovery_links, name, without)


def tells_who_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request is only noted if there is such a user."""
    add = PostgresRecoveryRequests.add

    async def add_if_known(self: PostgresRecoveryRequests, contents: RecoveryContents) -> None:
        if await self._database.row(users._FIND_BY_NAME, canonical(contents.name)):
            await add(self, contents)

    monkeypatch.setattr(PostgresRecoveryRequests, "add", add_if_known)


def admits_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody counts the requests for one name."""

    async def admit(self: RecoveryThrottle, name: str) -> bool:
        return True

    monkeypatch.setattr(RecoveryThrottle, "admit_name", admit)


def counts_no_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every code may be guessed without end."""
    sql = address_codes._COUNT.replace("tries + 1", "tries")
    assert sql != address_codes._COUNT
    monkeypatch.setattr(address_codes, "_COUNT", sql)


def keeps_links_to_an_old_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """A link works after its user's address has changed."""
    monkeypatch.setattr(users, "_FORGET_RECOVERY_LINKS", "SELECT $1::uuid")


def spends_the_code_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """A code is spent before the address is changed, in a statement of its own."""
    counting, deleting = "UPDATE address_codes a SET tries = tries + 1", "DELETE FROM address_codes a"
    assert counting in address_codes._COUNT
    monkeypatch.setattr(address_codes, "_COUNT", address_codes._COUNT.replace(counting, deleting))


def holds_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody remembers that a link was used."""
    monkeypatch.setattr(recovery_links, "_HOLD", "SELECT $1::uuid, $2::interval")


def opens_what_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages of the account do not ask whether their user is held."""

    async def is_open(*_: object) -> None:
        return None

    monkeypatch.setattr(RecoveryHolds, "closed", is_open)


def believes_one_factor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any administrator makes links, however and whenever they have signed in."""
    monkeypatch.setattr(Caller, "check_several_factors", lambda self, within, now: self.user_id or new_id())


def names_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A link does not say who has made it."""
    sql = recovery_links._FIND.replace("l.issued_by", "NULL AS issued_by")
    assert sql != recovery_links._FIND
    monkeypatch.setattr(recovery_links, "_FIND", sql)


def makes_links_to_superiors(monkeypatch: pytest.MonkeyPatch) -> None:
    """An administrator makes links for users with more rights."""

    async def any_user(self: UserAdministration, request: web.Request, caller: Caller) -> User:
        return await self.of_version(request)

    monkeypatch.setattr(UserAdministration, "to_change", any_user)


def holds_nobody_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The administration does not ask whether its caller is held."""

    async def check(*_: object) -> None:
        return None

    monkeypatch.setattr("services.accounts.administration.users.check_not_held", check)
