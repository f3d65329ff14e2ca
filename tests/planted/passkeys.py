"""Planted defects of passkeys."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from webauthn import verify_registration_response

from services.accounts.self_service import overview
from services.accounts.self_service import passkeys as page_of_passkeys
from services.accounts.visit.access import AccountAccess
from services.authorization.authentication import passkey as authentication
from services.authorization.interaction import second_factor_rules
from services.authorization.interaction.sign_in import InteractionSignIn
from shared.codec.base64url import base64url, from_base64url
from shared.codec.json_text import parse_object
from shared.identity.passkeys import challenge, verification
from shared.identity.passkeys.challenge import Challenges
from shared.identity.passkeys.passkey import Passkey
from shared.oauth.authentication_methods import Method
from shared.operations import new_passkeys
from shared.store import Credential
from shared.store.postgres import credentials, passkeys
from shared.store.postgres.credentials import PostgresUserCredentials
from shared.store.postgres.passkeys import PostgresPasskeys
from shared.store.redis.replay_marks import RedisReplayMarks


def trusts_old_challenges(monkeypatch: pytest.MonkeyPatch) -> None:
    """A challenge never expires."""
    monkeypatch.setattr(challenge, "LIFETIME", timedelta(days=1000))


def forgets_the_ceremony(monkeypatch: pytest.MonkeyPatch) -> None:
    """A challenge for a sign-in also makes a passkey."""
    mac = Challenges._mac
    monkeypatch.setattr(Challenges, "_mac", lambda self, _, binding, made: mac(self, "get", binding, made))


def accepts_a_framed_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the browser says of frames is not read."""
    parse = parse_object

    def without_frames(data: bytes) -> dict[str, Any]:
        members = parse(data)
        return {name: value for name, value in members.items() if name not in ("crossOrigin", "topOrigin")}

    monkeypatch.setattr("shared.identity.passkeys.response.parse_object", without_frames)


def accepts_changed_eligibility(monkeypatch: pytest.MonkeyPatch) -> None:
    """The backup eligibility of an assertion is not compared."""
    monkeypatch.setattr(verification, "_check_backup_eligibility", lambda *_: None)


def accepts_any_passkey(monkeypatch: pytest.MonkeyPatch) -> None:
    """The credential id of an assertion is not compared."""
    monkeypatch.setattr(verification, "_check_passkey", lambda *_: None)


def accepts_an_unverified_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """A passkey alone is enough, whatever the request or the user needs."""
    monkeypatch.setattr(InteractionSignIn, "is_incomplete", lambda *_: False)


def takes_the_users_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """The passkey is found by its id alone, whoever the authenticator says that its user is."""
    condition = " AND c.user_id = $2"
    assert condition in passkeys._FIND
    monkeypatch.setattr(passkeys, "_FIND", passkeys._FIND.replace(condition, " AND $2::uuid IS NOT NULL"))


def binds_challenges_to_no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """The challenge of any page counts on any other."""
    mac = Challenges._mac
    monkeypatch.setattr(Challenges, "_mac", lambda self, ceremony, _, made: mac(self, ceremony, (), made))


def accepts_a_challenge_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Challenges are not marked as used."""

    async def unmarked(*_: object) -> bool:
        return True

    monkeypatch.setattr(RedisReplayMarks, "add", unmarked)


def registers_an_id_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another user gets a passkey whose id is somebody's already."""
    add = PostgresUserCredentials.add

    async def under_another_id(self: PostgresUserCredentials, credential: Credential) -> None:
        data = {**credential.data, "id": base64url(credential.credential_id.bytes)}
        await add(self, replace(credential, data=data))

    monkeypatch.setattr(PostgresUserCredentials, "add", under_another_id)


def removes_the_only_way_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asks whether the user could still sign in."""
    condition = f"(NOT $3 OR {credentials._SIGN_IN_STAYS})"
    assert condition in credentials._REMOVE
    monkeypatch.setattr(credentials, "_REMOVE", credentials._REMOVE.replace(condition, "$3 IS NOT NULL"))


def removes_a_needed_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asks whether the user has another second factor."""
    condition = f"(NOT $4 OR {credentials._SECOND_FACTOR_STAYS})"
    assert condition in credentials._REMOVE
    monkeypatch.setattr(credentials, "_REMOVE", credentials._REMOVE.replace(condition, "$4 IS NOT NULL"))


def removes_anybodys_passkey(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user of a credential that is removed is not compared."""
    condition = "WHERE user_id = $1\n     AND (credential_id = $2"
    assert condition in credentials._REMOVE
    anybodys = credentials._REMOVE.replace(condition, "WHERE $1::uuid IS NOT NULL AND (credential_id = $2")
    monkeypatch.setattr(credentials, "_REMOVE", anybodys)
    monkeypatch.setattr(page_of_passkeys, "_is_passkey_of", lambda *_: True)


def takes_every_challenge_for_conditional(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a challenge was made for does not matter to a passkey whose user was not present."""
    make = verification.new_passkey

    def unasked(*arguments: Any, **options: Any) -> Any:
        return make(*arguments, **{**options, "is_conditional": True})

    monkeypatch.setattr(new_passkeys, "new_passkey", unasked)


def offers_a_passkey_at_any_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The browser may make a passkey in an old session, or after a sign-in by passkey."""

    async def may(*_: object) -> bool:
        return True

    monkeypatch.setattr(AccountAccess, "may_change", may)
    monkeypatch.setattr(overview, "methods_of", lambda _: {Method.PASSWORD})


def counts_what_nobody_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A passkey that the browser made by itself is a second factor at once."""
    monkeypatch.setattr(Passkey, "is_second_factor", lambda *_: True)


def lets_the_browser_forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every passkey that is not accepted is called unknown."""

    async def unknown(*_: object) -> bool:
        return False

    monkeypatch.setattr(PostgresPasskeys, "is_known", unknown)


def offers_what_is_not_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every second factor of the user counts, whatever the request demands."""
    monkeypatch.setattr(second_factor_rules, "_sufficient", lambda _, proven: proven.second_factors)


def binds_challenges_to_no_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """A challenge of the login page completes a second factor."""
    monkeypatch.setattr(authentication, "_second", lambda _, binding: binding)


def compares_the_end_of_an_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    """An origin whose host only ends like a listed one uses the passkeys."""

    def by_suffix(*, credential: Any, expected_origin: list[str], **more: Any) -> Any:
        client_data = from_base64url(credential["response"]["clientDataJSON"])
        origin = parse_object(client_data)["origin"]
        hosts = [urlsplit(each).hostname or "" for each in expected_origin]
        if any((urlsplit(origin).hostname or "").endswith(host) for host in hosts):
            expected_origin = [origin]
        return verify_registration_response(credential=credential, expected_origin=expected_origin, **more)

    monkeypatch.setattr(verification, "verify_registration_response", by_suffix)
