"""`ostiary user import`: users of another server, who sign in with the passwords that they had there."""

import asyncio
import json

import bcrypt
import pytest

from shared.identity.passwords import OWASP, Passwords
from tests.deployment import open_world, settings_for
from tests.flow.command_line import Ostiary, of
from tests.planted import planted
from tests.planted.passwords import imports_any_cost

PASSWORD = "correct horse battery staple"
HASH = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
ADA = {"username": "ada", "email": "ada@example.org", "email_verified": True, "password_hash": HASH}
BOB = {"username": "bob", "claims": {"name": "Bob", "groups": ["staff"]}}


async def _first_sign_in(database_url: str, redis_url: str) -> None:
    """Check ada's password by her address, and store it as a sign-in does."""
    passwords = Passwords()
    async with open_world(settings_for(database_url, redis_url)) as world:
        credentials = world.stores.credentials
        account = await credentials.find_user_and_password("ada@example.org")
        assert account
        assert account.password_hash == HASH
        verdict = await passwords.check(account.password_hash, PASSWORD)
        assert verdict.new_hash
        await credentials.rehash(account.user.user_id, HASH, verdict.new_hash)
        renewed = await credentials.find_user_and_password("ada")
        assert renewed
        assert renewed.password_hash
        assert not OWASP.check_needs_rehash(renewed.password_hash)
        assert renewed.user.epoch == account.user.epoch
    passwords.close()


def test_users_keep_their_passwords(ostiary: Ostiary, database_url: str, redis_url: str) -> None:
    """By name or address; the first sign-in stores the password as this server does."""
    rows = of(ostiary("user", "import", "-", "--json", given=json.dumps([ADA, BOB])))
    assert rows == [{"username": "ada", "result": "added"}, {"username": "bob", "result": "added"}]
    assert of(ostiary("user", "show", "bob", "--json"))["groups"] == ["staff"]
    asyncio.run(_first_sign_in(database_url, redis_url))


def test_a_repeated_import_leaves_users_as_they_are(ostiary: Ostiary) -> None:
    """An interrupted one is simply started again."""
    assert ostiary("user", "add", "ada", "--email", "countess@example.org").exit_code == 0
    for expected in (["exists", "added"], ["exists", "exists"]):
        rows = of(ostiary("user", "import", "-", "--json", given=json.dumps([ADA, BOB])))
        assert [row["result"] for row in rows] == expected
    assert of(ostiary("user", "show", "ada", "--json"))["claims"]["email"] == "countess@example.org"


@planted(imports_any_cost)
def test_one_bad_entry_and_nothing_is_imported(ostiary: Ostiary) -> None:
    """Every bad entry is named, by its position and with the reason, but never with its hash."""
    costly = HASH.replace("$04$", "$31$")
    entries = [BOB, {**ADA, "password_hash": costly}, {"username": ""}, {"username": "x", "pasword": 1}, 5]
    result = ostiary("user", "import", "-", given=json.dumps(entries))
    assert result.exit_code == 1
    for sentence in ("user 2: its password_hash", "user 3: a user name", "user 4: pasword", "user 5: "):
        assert sentence in result.stderr
    assert "user 1" not in result.stderr
    assert costly not in result.stderr
    assert of(ostiary("user", "list", "--json")) == []


@pytest.mark.parametrize(
    "members", [{"email": "nobody"}, {"claims": {"sub": "1"}}, {"claims": {"groups": [""]}}]
)
def test_claims_are_checked_before_anything_is_imported(ostiary: Ostiary, members: dict[str, object]) -> None:
    """By the rules of `user add`."""
    result = ostiary("user", "import", "-", given=json.dumps([ADA, {"username": "eve", **members}]))
    assert result.exit_code == 1
    assert "user 2: " in result.stderr
    assert of(ostiary("user", "list", "--json")) == []
