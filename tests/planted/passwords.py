"""Planted defects of the rules for passwords, and of imported password hashes."""

import unicodedata

import pytest

from shared.identity import password_rules, passwords
from shared.identity.passwords import Verdict
from shared.operations import user_import


def knows_no_common_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of common passwords is empty."""
    monkeypatch.setattr(password_rules, "COMMON_PASSWORDS", frozenset())


def compares_passwords_as_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A password is hashed and checked in the form in which a keyboard sends it."""
    monkeypatch.setattr(passwords, "password_forms", lambda password: (password,))


def forgets_earlier_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    """A password is checked in the form of new hashes alone."""
    monkeypatch.setattr(
        passwords, "password_forms", lambda password: (unicodedata.normalize("NFC", password),)
    )


def keeps_imported_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A right password does not replace the hash of another server."""
    verdict = passwords._verdict

    def without_new_hash(*arguments: object) -> Verdict:
        return Verdict(is_right=verdict(*arguments).is_right)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(passwords, "_verdict", without_new_hash)


def imports_any_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash that takes minutes to check is imported."""
    monkeypatch.setattr(user_import, "checked_hash", lambda password_hash: password_hash)
