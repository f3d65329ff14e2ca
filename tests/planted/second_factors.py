"""Planted defects of second factors."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from services.authorization.authentication import authenticated, known_browsers
from services.authorization.device import forms, sealed
from services.authorization.interaction import dispatcher, next_step, second_factor_rules, sign_in
from services.authorization.interaction.step import Login, ShowSecondFactor
from shared.codec.base64url import base64url
from shared.identity import totp
from shared.store.codecs.totp_secrets import TotpSecrets
from shared.store.postgres import credentials, second_factors
from shared.store.postgres.second_factors import PostgresSecondFactors


def _replace(monkeypatch: pytest.MonkeyPatch, name: str, condition: str, by: str) -> None:
    sql = getattr(second_factors, name)
    assert condition in sql
    monkeypatch.setattr(second_factors, name, sql.replace(condition, by))


def accepts_a_code_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A code is right as long as its time step lasts."""
    _replace(monkeypatch, "_SPEND_STEP", "(data ->> 'last_step')::bigint < $2", "$2 > 0")


def spends_after_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a code is spent is read first and written later: two processes accept it."""
    spend = PostgresSecondFactors.spend_step

    async def looking_first(self: PostgresSecondFactors, user_id: UUID, step: int, key: bytes) -> bool:
        row: Any = await self._database.row(second_factors._SECRET, user_id)
        await spend(self, user_id, step, key)
        return bool(row["data"]["last_step"] < step)

    monkeypatch.setattr(PostgresSecondFactors, "spend_step", looking_first)


def keeps_recovery_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A recovery code stays after its use."""
    _replace(monkeypatch, "_SPEND_RECOVERY_CODE", "- $2::text", "|| '[]'::jsonb")


def burns_codes_in_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    """A code that was spent is refused, although its session never began."""
    for name in ("_SPEND_STEP", "_SPEND_RECOVERY_CODE"):
        _replace(monkeypatch, name, "= encode($3, 'hex')", "= encode($3, 'hex') || 'x'")


def accepts_a_code_after_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A form that is sent again after its session has ended signs in with the same code."""
    for name in ("_SPEND_STEP", "_SPEND_RECOVERY_CODE"):
        _replace(monkeypatch, name, "AND ended_at IS NOT NULL", "AND false")


def stores_secrets_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """The secret of an authenticator app is not encrypted."""
    monkeypatch.setattr(TotpSecrets, "write", lambda self, credential_id, secret: secret.hex())


def asks_for_a_password_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A right password begins a session, whatever else the user has."""
    monkeypatch.setattr(sign_in, "step_before_session", lambda *_: None)


def forgets_who_is_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next step does not know that a second factor is missing."""
    step = next_step.next_step

    def forgetting(*arguments: Any, **options: Any) -> Any:
        return step(*arguments, **options | {"proven": None})

    monkeypatch.setattr(dispatcher, "next_step", forgetting)


def never_steps_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A session whose user has a second factor has to begin again."""
    step = next_step.next_step

    def without(*arguments: Any, **options: Any) -> Any:
        found = step(*arguments, **options)
        return Login() if isinstance(found, ShowSecondFactor) else found

    monkeypatch.setattr(dispatcher, "next_step", without)


def forgets_the_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A password that changes between the two factors does not matter."""

    def without_epoch(record: Any, *, epoch: int | None = None, **changes: Any) -> Any:
        return replace(record, **changes)

    monkeypatch.setattr(authenticated, "replace", without_epoch)


def accepts_any_drift(monkeypatch: pytest.MonkeyPatch) -> None:
    """A code of five minutes ago is right."""
    monkeypatch.setattr(totp, "DRIFT", 10)


def accepts_what_another_browser_has_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a password has proven is sealed for no browser and no code."""
    for name in ("seal", "unseal"):
        function = getattr(sealed, name)

        def without_purpose(first: Any, second: Any, _: str, *rest: Any, function: Any = function) -> Any:
            return function(first, second, "", *rest)

        monkeypatch.setattr(forms, name, without_purpose)


def remembers_every_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser that one user wants remembered asks nobody for codes."""
    condition = "c.data ->> 'browser' = $2"
    _replace(monkeypatch, "_IS_REMEMBERED", condition, "$2::text IS NOT NULL")


def remembers_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing ends what a user has chosen once."""

    async def remembered(*_: object) -> bool:
        return True

    monkeypatch.setattr(PostgresSecondFactors, "is_remembered", remembered)
    monkeypatch.setattr(known_browsers, "_mark", lambda key, browser, *_: base64url(browser.encode())[:22])


def enrols_beside_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that was opened before adds another second factor to the one that the user has by now."""
    monkeypatch.setattr(second_factors, "_HAS_ONE", "SELECT FROM users WHERE user_id = $1 AND false")


def asks_nobody_for_a_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a group requires of its members is not looked at."""
    needs = second_factor_rules.needs_second_factor

    def without(*arguments: Any, **options: Any) -> bool:
        return needs(*arguments, **options | {"is_demanded": False})

    for module in (next_step, second_factor_rules):
        monkeypatch.setattr(module, "needs_second_factor", without)


def removes_without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two removals do not wait for each other, so that neither sees the other."""
    monkeypatch.setattr(credentials, "_LOCK_USER", "SELECT FROM users WHERE user_id = $1")
