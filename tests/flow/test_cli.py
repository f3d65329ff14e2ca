"""The command line with real stores: verbs, exit statuses and output."""

import asyncio
import json
import os
import re
import subprocess
import sys
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from click.testing import CliRunner, Result

from services.cli import main, output
from shared.live import clock
from shared.oauth.resource.own import ADMINISTRATION_SCOPES
from shared.oauth.supported import SCOPE_CLAIMS
from shared.operations import listing
from shared.operations.users import add_user
from shared.paths import PATHS, Group
from tests.builders import an_attempt
from tests.deployment import open_world, settings_for
from tests.flow.command_line import Ostiary, of
from tests.planted import planted
from tests.planted.deployment import examines_no_clients, imports_nothing_with_success
from tests.planted.process import takes_libpq_variables

CELLS = str(Path(__file__).parents[2] / "deploy" / "cells-clients.json")


async def _empty(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await connection.close()


def test_migrate_check_says_what_is_missing(database_url: str, redis_url: str) -> None:
    """Exit status 1 before, 0 after."""
    asyncio.run(_empty(database_url))
    environment = {"OSTIARY_DATABASE_URL": database_url, "OSTIARY_REDIS_URL": redis_url}
    before = CliRunner().invoke(main, ["migrate", "--check"], env=environment)
    assert before.stdout.startswith("missing"), before.stderr
    assert before.exit_code == 1
    assert CliRunner().invoke(main, ["migrate"], env=environment).exit_code == 0
    assert CliRunner().invoke(main, ["migrate", "--check"], env=environment).exit_code == 0


def test_a_migration_is_planned_applied_and_verified(database_url: str, redis_url: str) -> None:
    """`plan` changes nothing, `apply` applies what it named, and `verify` compares the schema."""
    asyncio.run(_empty(database_url))
    environment = {"OSTIARY_DATABASE_URL": database_url, "OSTIARY_REDIS_URL": redis_url}

    def migrate(*arguments: str) -> Result:
        return CliRunner().invoke(main, ("migrate", *arguments), env=environment)

    planned = of(migrate("plan", "--json"))
    assert migrate("plan").stdout.splitlines() == [f"missing {name}" for name in planned]
    unverified = migrate("verify")
    assert (unverified.exit_code, unverified.stdout.count("run `ostiary migrate`")) == (1, len(planned))
    assert migrate("apply").stdout.splitlines() == [f"applied {name}" for name in planned]
    assert migrate("plan").stdout == "Nothing is missing.\n"
    assert (migrate("verify").exit_code, of(migrate("verify", "--json"))) == (0, [])
    asyncio.run(_drop_an_index(database_url))
    verified = migrate("verify")
    assert (verified.exit_code, verified.stdout) == (1, "index audit_by_time is missing\n")
    assert migrate("--check", "plan").exit_code == 2


async def _drop_an_index(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("DROP INDEX audit_by_time")
    await connection.close()


@planted(takes_libpq_variables)
@pytest.mark.parametrize(
    ("name", "value"),
    [("PGPORT", "1"), ("PGTARGETSESSIONATTRS", "standby"), ("PGSSLMODE", "verify-full")],
)
def test_libpq_variables_are_ignored(ostiary: Ostiary, database_url: str, name: str, value: str) -> None:
    """libpq's variables are ignored, even if the URL does not set these options."""
    url = database_url.partition("&port=")[0]
    result = ostiary("migrate", "--check", **{"OSTIARY_DATABASE_URL": url, name: value})
    assert result.exit_code == 0, result.output


def test_a_user_is_added_shown_disabled_and_deleted(ostiary: Ostiary, tmp_path: Path) -> None:
    """A generated password is shown once."""
    claims = tmp_path / "claims.json"
    claims.write_text('{"given_name": "Ada"}')
    added = of(ostiary("user", "add", "ada", "--email", "ada@x.test", "--claims", str(claims), "--json"))
    assert added["claims"] == {"given_name": "Ada", "email": "ada@x.test"}
    assert len(added["password"]) >= 20
    assert "password" not in of(ostiary("user", "show", "ADA", "--json"))
    assert "password" not in of(
        ostiary("user", "add", "bob", "--password-stdin", "--json", given="correct horse\n")
    )
    assert [user["username"] for user in of(ostiary("user", "list", "--json"))] == ["ada", "bob"]
    for verb, is_disabled in (("disable", True), ("enable", False), ("logout", False), ("unlock", False)):
        assert ostiary("user", verb, "ada").exit_code == 0
        assert of(ostiary("user", "show", "ada", "--json"))["is_disabled"] is is_disabled
    assert len(of(ostiary("user", "password", "ada", "--json"))["password"]) >= 20
    assert ostiary("user", "delete", "ada").exit_code == 0
    assert "bob" in ostiary("user", "list").stdout


def test_a_recovery_link_is_printed(ostiary: Ostiary) -> None:
    """On the issuer, with the time until which it works; not for a user who is disabled."""
    assert ostiary("user", "add", "ada").exit_code == 0
    link = of(ostiary("user", "recover", "ada", "--json"))
    assert re.fullmatch(r"https?://\S+/oidc/account/recovery\?link=rl_[\w-]{43}", link["link"])
    assert timedelta(minutes=14) < datetime.fromisoformat(link["expires_at"]) - clock.now()
    assert link["link"] != of(ostiary("user", "recover", "ada", "--json"))["link"]
    assert "There is no user bob" in ostiary("user", "recover", "bob").stderr
    assert ostiary("user", "disable", "ada").exit_code == 0
    refused = ostiary("user", "recover", "ada")
    assert (refused.exit_code, "ada is disabled" in refused.stderr) == (1, True)


def test_a_user_is_changed(ostiary: Ostiary) -> None:
    """Name, address, locale and claims change. A new address can sign in and is not verified."""
    ostiary("user", "add", "ada", "--email", "ada@x.test", "--email-verified")
    ostiary("user", "add", "bob", "--email", "bob@x.test")
    assert of(ostiary("user", "show", "ADA@x.test", "--json"))["claims"]["email_verified"] is True
    changed = of(ostiary("user", "update", "ada@x.test", "--email", "new@x.test", "--locale", "fr", "--json"))
    assert changed["claims"] == {"email": "new@x.test", "locale": "fr"}
    assert ostiary("user", "show", "ada@x.test").exit_code == 1
    claims = '{"groups": ["a"], "locale": null}'
    arguments = (
        "user",
        "update",
        "new@x.test",
        "--claims",
        "-",
        "--username",
        "countess",
        "--email-verified",
    )
    changed = of(ostiary(*arguments, "--json", given=claims))
    assert changed["username"] == "countess"
    assert changed["claims"] == {"email": "new@x.test", "email_verified": True}
    assert changed["groups"] == ["a"]
    of(ostiary("user", "update", "countess", "--email-unverified", "--json"))
    assert ostiary("user", "show", "new@x.test").exit_code == 1
    taken = ostiary("user", "update", "countess", "--username", "bob@x.test")
    assert (taken.exit_code, taken.stdout) == (1, "")
    assert "is taken" in taken.stderr
    assert ostiary("user", "update", "countess", "--email", "nowhere").exit_code == 1


def test_a_group_is_added_joined_left_and_deleted(ostiary: Ostiary) -> None:
    """Any spelling of the names works, and joining and leaving can be repeated."""
    ostiary("user", "add", "ada", "--email", "ada@x.test")
    ostiary("user", "add", "bob")
    added = of(ostiary("group", "add", "Staff", "--json"))
    assert (added["name"], added["member_count"]) == ("Staff", 0)
    for user in ("ada@x.test", "bob", "bob"):
        assert ostiary("group", "join", "staff", user).exit_code == 0
    assert of(ostiary("group", "show", "STAFF", "--json"))["members"] == ["ada", "bob"]
    for _ in range(2):
        assert ostiary("group", "leave", "Staff", "bob").exit_code == 0
    assert of(ostiary("user", "show", "ada", "--json"))["groups"] == ["Staff"]
    listed = of(ostiary("group", "list", "--json"))
    assert [(group["name"], group["member_count"]) for group in listed] == [("Staff", 1)]
    assert ostiary("group", "delete", "staff").exit_code == 0
    assert (
        of(ostiary("group", "list", "--json")) == of(ostiary("user", "show", "ada", "--json"))["groups"] == []
    )


def test_a_group_joins_and_leaves_a_group(ostiary: Ostiary) -> None:
    """Its members are in both; lists and records tell who is in a group directly."""
    ostiary("user", "add", "ada")
    for name in ("Team", "Staff"):
        ostiary("group", "add", name)
    ostiary("group", "join", "team", "ada")
    for _ in range(2):
        assert ostiary("group", "join", "staff", "--group", "TEAM").exit_code == 0
    staff = of(ostiary("group", "show", "staff", "--json"))
    assert (staff["groups"], staff["members"], staff["effective_members"]) == (["Team"], [], ["ada"])
    ada = of(ostiary("user", "show", "ada", "--json"))
    assert (ada["groups"], ada["effective_groups"]) == (["Team"], ["Staff", "Team"])
    counts = [
        (each["member_count"], each["effective_member_count"])
        for each in of(ostiary("group", "list", "--json"))
    ]
    assert counts == [(0, 1), (1, 1)]
    cyclic = ostiary("group", "join", "team", "--group", "staff")
    assert (cyclic.exit_code, "Team would be a member of itself, through Staff" in cyclic.stderr) == (1, True)
    for arguments in (("staff",), ("staff", "ada", "--group", "team")):
        assert ostiary("group", "join", *arguments).exit_code == 2
    assert ostiary("group", "leave", "Staff", "--group", "team").exit_code == 0
    assert of(ostiary("user", "show", "ada", "--json"))["effective_groups"] == ["Team"]


def test_a_role_is_given_and_taken(ostiary: Ostiary) -> None:
    """To a user and to a group; records and lists tell who has it, and how."""
    for name in ("ada", "bob"):
        ostiary("user", "add", name)
    ostiary("group", "add", "Staff")
    ostiary("group", "join", "staff", "ada")
    assert of(ostiary("role", "add", "Editor", "--json"))["name"] == "Editor"
    for holder in (("bob",), ("bob",), ("--group", "staff")):
        assert ostiary("role", "give", "editor", *holder).exit_code == 0
    shown = of(ostiary("role", "show", "EDITOR", "--json"))
    assert (shown["groups"], shown["users"], shown["effective_users"]) == (["Staff"], ["bob"], ["ada", "bob"])
    ada, bob = (of(ostiary("user", "show", name, "--json")) for name in ("ada", "bob"))
    assert (ada["roles"], ada["effective_roles"], bob["roles"]) == ([], ["Editor"], ["Editor"])
    assert of(ostiary("role", "update", "editor", "--name", "Author", "--json"))["name"] == "Author"
    for holder in (("bob",), ("--group", "STAFF")):
        assert ostiary("role", "take", "author", *holder).exit_code == 0
    listed = of(ostiary("role", "list", "--json"))
    assert [(each["name"], each["effective_user_count"]) for each in listed] == [("Author", 0)]
    assert ostiary("role", "delete", "author").exit_code == 0
    assert of(ostiary("role", "list", "--json")) == []
    missing = ostiary("role", "give", "author", "ada")
    assert (missing.exit_code, "There is no role author" in missing.stderr) == (1, True)
    assert "a role name has 1 to 200" in ostiary("role", "add", " ").stderr
    assert ostiary("role", "take", "author").exit_code == 2


def test_roles_in_a_claims_file_become_roles(ostiary: Ostiary) -> None:
    """Missing roles are added. A later file replaces the roles; else they stay."""
    added = of(ostiary("user", "add", "ada", "--claims", "-", "--json", given='{"roles": ["b", "A", "B"]}'))
    assert (added["roles"], added["claims"]) == (["A", "B"], {})
    update = ("user", "update", "ada", "--claims", "-", "--json")
    assert of(ostiary(*update, given='{"locale": "fr"}'))["roles"] == ["A", "B"]
    assert of(ostiary(*update, given='{"roles": ["c"]}'))["roles"] == ["c"]
    assert ostiary(*update, given='{"roles": ["a\u200b"]}').exit_code == 1


def test_a_group_gives_its_members_scopes(ostiary: Ostiary) -> None:
    """Scopes are given with the group, replaced, and kept by a change of the name."""
    reads, writes = "ostiary.users:read", "ostiary.users:write"
    assert of(ostiary("group", "add", "a", "--scope", reads, "--json"))["scopes"] == [reads]
    assert of(ostiary("group", "update", "a", "--name", "b", "--json"))["scopes"] == [reads]
    assert of(ostiary("group", "update", "b", "--scope", writes, "--json"))["scopes"] == [writes]
    assert of(ostiary("group", "update", "b", "--all-scopes", "--json"))["scopes"] == [*ADMINISTRATION_SCOPES]
    assert of(ostiary("group", "update", "B", "--no-scopes", "--json"))["scopes"] == []
    assert (
        "openid is not an administration scope" in ostiary("group", "update", "b", "--scope", "openid").stderr
    )
    assert ostiary("group", "update", "b", "--all-scopes", "--no-scopes").exit_code == 2


def test_an_administrator_is_added(ostiary: Ostiary) -> None:
    """The group of administrators is added with every scope; nobody becomes one by a group of that name."""
    add = ("user", "add", "--admin", "--json", "--claims", "-")
    assert of(ostiary(*add, "ada", given='{"groups": ["Staff"]}'))["groups"] == ["Staff", "administrators"]
    assert of(ostiary(*add, "bob", given="{}"))["groups"] == ["administrators"]
    group = of(ostiary("group", "show", "administrators", "--json"))
    assert (group["scopes"], group["members"]) == ([*ADMINISTRATION_SCOPES], ["ada", "bob"])
    ostiary("group", "update", "administrators", "--scope", "ostiary.users:read")
    refused = ostiary(*add, "eve", given="{}")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "lacks administration scopes" in refused.stderr
    assert "eve" not in ostiary("user", "list").stdout


def test_what_a_group_verb_cannot_do_is_a_sentence(ostiary: Ostiary) -> None:
    """Exit status 1, and nothing on standard output."""
    ostiary("user", "add", "ada")
    ostiary("group", "add", "Staff")
    for arguments, sentence in (
        (("add", "STAFF"), "STAFF is taken"),
        (("add", " "), "a group name has 1 to 200"),
        (("show", "nobody"), "There is no group nobody"),
        (("delete", "nobody"), "There is no group nobody"),
        (("join", "nobody", "ada"), "There is no group nobody"),
        (("join", "Staff", "eve"), "There is no user eve"),
        (("leave", "Staff", "eve"), "There is no user eve"),
    ):
        result = ostiary("group", *arguments)
        assert (result.exit_code, result.stdout) == (1, ""), arguments
        assert sentence in result.stderr


def test_groups_in_a_claims_file_become_memberships(ostiary: Ostiary) -> None:
    """Missing groups are added. A later file replaces the groups; null removes them; else they stay."""
    added = of(ostiary("user", "add", "ada", "--claims", "-", "--json", given='{"groups": ["b", "A", "B"]}'))
    assert (added["groups"], added["claims"]) == (["A", "B"], {})
    update = ("user", "update", "ada", "--json", "--claims", "-")
    assert of(ostiary(*update, given='{"groups": ["a", "c"]}'))["groups"] == ["A", "c"]
    assert of(ostiary(*update, given='{"locale": "fr"}'))["groups"] == ["A", "c"]
    assert of(ostiary(*update, given='{"groups": null}'))["groups"] == []
    assert [group["name"] for group in of(ostiary("group", "list", "--json"))] == ["A", "B", "c"]
    for bad in ('{"groups": "a"}', '{"groups": [1]}', '{"groups": ["a\u200b"]}', '{"groups": [""]}'):
        assert ostiary(*update, given=bad).exit_code == 1, bad


def test_a_long_list_is_printed_as_it_is_read(
    ostiary: Ostiary, database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list is printed page by page, each record once, as JSON and as a table, also if it is empty."""
    assert of(ostiary("user", "list", "--json")) == of(ostiary("client", "list", "--json")) == []
    monkeypatch.setattr(listing, "PAGE", 2)

    async def add() -> None:
        async with open_world(settings_for(database_url, redis_url)) as world:
            for name in ("a", "b", "c", "d", "e"):
                await add_user(world.stores.users, name, {"nickname": 'line\n"two"'}, None)
                await world.client(client_id=name)

    asyncio.run(add())
    listed = of(ostiary("user", "list", "--json"))
    assert [user["username"] for user in listed] == ["a", "b", "c", "d", "e"]
    assert listed[0]["claims"] == {"nickname": 'line\n"two"'}
    assert [client["client_id"] for client in of(ostiary("client", "list", "--json"))] == [
        "a",
        "b",
        "c",
        "d",
        "e",
    ]
    monkeypatch.setattr(output, "_MEASURED", 2)
    rows = ostiary("user", "list").stdout.splitlines()
    assert [row.split()[0] for row in rows] == ["username", "a", "b", "c", "d", "e"]


def test_its_version(ostiary: Ostiary) -> None:
    """The version is that of the package."""
    assert ostiary("--version").stdout.split() == ["main", version("ostiary")]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize(
    "arguments", [("user", "list", "--json"), ("user", "list"), ("--help",), ("--version",)]
)
def test_output_without_room_is_one_sentence(
    ostiary: Ostiary, database_url: str, redis_url: str, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """A full disk gives exit status 1 without a traceback; a closed reader gives no message."""
    environment = {
        **os.environ,
        "OSTIARY_DATABASE_URL": database_url,
        "OSTIARY_REDIS_URL": redis_url,
        "OSTIARY_SECRET_KEY": "s" * 32,
        "OSTIARY_DATA_DIR": str(tmp_path),
    }
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "services.cli", *arguments],
            stdout=full, stderr=subprocess.PIPE, env=environment, text=True, check=False,
        )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (
        1,
        "Error: The output cannot be written: No space left on device\n",
    )


def test_a_user_is_added_with_every_standard_claim(ostiary: Ostiary) -> None:
    """OpenID Connect Core 1.0 §5.1: every standard claim except `sub`."""
    names = [claim for scope in ("profile", "email", "address", "phone") for claim in SCOPE_CLAIMS[scope]]
    claims = dict.fromkeys(names, "x") | {
        "email": "ada@x.test",
        "email_verified": True,
        "phone_number_verified": False,
        "address": {"country": "UK"},
        "updated_at": 1311280970,
    }
    added = of(ostiary("user", "add", "ada", "--claims", "-", "--json", given=json.dumps(claims)))
    assert added["claims"] == claims


@pytest.mark.parametrize(
    ("arguments", "given", "sentence"),
    [
        (("user", "show", "nobody"), None, "There is no user nobody"),
        (("user", "add", " "), None, "a user name has"),
        (("user", "add", "ada", "--password-stdin"), "short\n", "a password has"),
        (("user", "add", "ada", "--password-stdin"), "Sunshine 20261225\n", "attackers try first"),
        (("user", "add", "ada", "--password-stdin"), "ada 2026-12-25 !!\n", "the user's own name"),
        (("user", "import", "-"), "{}", "not a list of users"),
        (("user", "reset-factors", "nobody"), None, "There is no user nobody"),
        (("user", "add", "ada", "--email", "x"), None, "not an e-mail address"),
        (("user", "add", "ada", "--claims", "-"), '{"sub": "x"}', "the server's own"),
        (("user", "add", "ada", "--claims", "-"), '{"updated_at": "today"}', "must be a number"),
        (("user", "add", "ada", "--claims", "-"), "{", "is not JSON"),
        (("client", "show", "nobody"), None, "There is no client nobody"),
        (("client", "add", "-"), "[]", "is not a JSON object"),
        (("client", "add", "-"), '{"redirect_uris": ["http://evil/"]}', "invalid_redirect_uri"),
        (("client", "import", "-"), "{}", "pydio.json"),
        (("client", "import", "-"), '[\n {"a": 1},\n}', "it is not JSON: line 3, column 1"),
        (("user", "update", "nobody", "--locale", "fr"), None, "There is no user nobody"),
        (("user", "add", "eve", "--email-verified"), None, "no e-mail address"),
        (("client", "rotate-secret", "nobody"), None, "There is no client nobody"),
        (("keys", "retire", "nobody"), None, "no usable key"),
        (("keys", "retire", "--", "-begins-with-a-hyphen"), None, "no usable key"),
        (("keys", "retire", "-begins-with-a-hyphen", "--compromised"), None, "no usable key"),
    ],
)
def test_a_fault_is_one_sentence_and_exit_status_1(
    ostiary: Ostiary, arguments: tuple[str, ...], given: str | None, sentence: str
) -> None:
    """Operators' faults never cause a traceback."""
    result = ostiary(*arguments, given=given)
    assert (result.exit_code, result.stdout) == (1, "")
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "arguments", [("user", "add"), ("unknown",), ("client", "invite", "--uses", "0"), ("serve", "x"),
                  ("serve", "token", "--listen", "nowhere"), ("serve", "token", "--listen", "h:65536"),
                  ("client", "rotate-secret", "x", "--overlap", "soon"),
                  ("client", "rotate-secret", "x", "--overlap", "91d"),
                  ("client", "invite", "--expires", "soon"), ("client", "add", "/nowhere")],
)  # fmt: skip
def test_wrong_usage_is_exit_status_2(ostiary: Ostiary, arguments: tuple[str, ...]) -> None:
    """Wrong usage is reported before the stores are opened."""
    assert ostiary(*arguments).exit_code == 2


def test_a_client_is_added_updated_rotated_and_deleted(ostiary: Ostiary) -> None:
    """The secret is shown when it is created, and never again."""
    metadata = json.dumps({"redirect_uris": ["https://rp.test/cb"], "skip_consent": True})
    added = of(ostiary("client", "add", "-", "--json", given=metadata))
    client_id = added["client_id"]
    assert (added["skip_consent"], added["client_secret_expires_at"]) == (True, 0)
    shown = ostiary("client", "show", client_id, "--json")
    assert "client_secret" not in of(shown)
    assert added["client_secret"] not in shown.stdout
    rotated = of(ostiary("client", "rotate-secret", client_id, "--json"))
    assert rotated["client_secret"] != added["client_secret"]
    assert "previous_client_secret_expires_at" not in rotated
    overlapping = of(ostiary("client", "rotate-secret", client_id, "--overlap", "7d", "--json"))
    assert overlapping["previous_client_secret_expires_at"] > overlapping["client_secret_expires_at"]
    updated = of(
        ostiary(
            "client", "update", client_id, "-", "--json", given='{"client_name": "N", "skip_consent": null}'
        )
    )
    assert (updated["client_name"], updated["skip_consent"]) == ("N", False)
    assert "client_secret" not in updated
    assert ostiary("client", "disable", client_id).exit_code == 0
    assert of(ostiary("client", "list", "--json"))[0]["is_disabled"] is True
    assert ostiary("client", "enable", client_id).exit_code == 0
    assert ostiary("client", "delete", client_id).exit_code == 0
    assert of(ostiary("client", "list", "--json")) == []


def test_given_credentials_are_kept(ostiary: Ostiary) -> None:
    """Chosen credentials are stored, and a client_id is taken once."""
    metadata = json.dumps(
        {"client_id": "rp", "client_secret": "x" * 40, "redirect_uris": ["https://rp.test/"]}
    )
    added = of(ostiary("client", "add", "-", "--json", given=metadata))
    assert (added["client_id"], added["client_secret"]) == ("rp", "x" * 40)
    again = ostiary("client", "add", "-", given=metadata)
    assert (again.exit_code, again.stderr) == (1, "Error: rp is taken\n")


def test_cells_clients_are_imported_again_and_again_and_pruned_only_when_told(ostiary: Ostiary) -> None:
    """Clients that are not in the file stay without --prune."""
    ostiary("client", "add", "-", given='{"client_id": "other", "redirect_uris": ["https://rp.test/"]}')
    url = ("--external-url", "https://cells.test")
    first = of(ostiary("client", "import", CELLS, *url, "--json"))
    again = of(ostiary("client", "import", CELLS, *url, "--json"))
    assert {row["result"] for row in first} == {"added"}
    assert {row["result"] for row in again} == {"updated"}
    assert len(of(ostiary("client", "list", "--json"))) == 5
    of(ostiary("client", "import", CELLS, *url, "--prune", "--json"))
    assert "other" not in {client["client_id"] for client in of(ostiary("client", "list", "--json"))}


def test_a_list_without_client_ids_is_imported_again_and_adds_nothing(ostiary: Ostiary) -> None:
    """An entry matches the client with the same name and redirect URIs, unless several match."""
    entries: list[dict[str, Any]] = [
        {"client_name": "Files", "redirect_uris": ["https://a.test/cb", "https://b.test/cb"]},
        {"client_name": "Files", "redirect_uris": ["https://c.test/cb"]},
        {"redirect_uris": ["https://d.test/cb"]},
    ]
    first = of(ostiary("client", "import", "-", "--json", given=json.dumps(entries)))
    entries[0] |= {"redirect_uris": ["https://b.test/cb", "https://a.test/cb"], "scope": "openid"}
    again = of(ostiary("client", "import", "-", "--prune", "--json", given=json.dumps(entries)))
    assert [row["result"] for row in (*first, *again)] == ["added"] * 3 + ["updated"] * 3
    assert [row["client_id"] for row in first] == [row["client_id"] for row in again]
    assert of(ostiary("client", "show", first[0]["client_id"], "--json"))["scope"] == "openid"
    assert len(of(ostiary("client", "list", "--json"))) == 3
    ostiary("client", "add", "-", given=json.dumps(entries[1]))
    ambiguous = ostiary("client", "import", "-", "--prune", "--json", given=json.dumps(entries[1:2]))
    assert ambiguous.exit_code == 1
    assert [row["result"] for row in json.loads(ambiguous.stdout)][:1] == ["refused"]
    assert "name one by its client_id" in ambiguous.stderr
    kept = of(ostiary("client", "list", "--json"))
    assert [client["redirect_uris"] for client in kept] == [["https://c.test/cb"]] * 2


@planted(imports_nothing_with_success)
@pytest.mark.parametrize("entries", [[], [{"redirect_uris": ["x"]}, {"response_types": ["magic"]}]])
def test_an_import_of_nothing_fails(ostiary: Ostiary, entries: list[dict[str, Any]]) -> None:
    """Exit status 1 with a reason for each entry, unless one was imported."""
    result = ostiary("client", "import", "-", given=json.dumps(entries))
    assert (result.exit_code, result.stderr.count("refused")) == (1, len(entries))
    assert "No client was imported" in result.stderr
    good = {"redirect_uris": ["https://a.test/cb"]}
    assert ostiary("client", "import", "-", given=json.dumps([*entries, good])).exit_code == 0


def test_an_invitation_is_an_initial_access_token(ostiary: Ostiary) -> None:
    """Printed bare, so that a script can use it."""
    assert ostiary("client", "invite").stdout.startswith("ia_")
    assert of(ostiary("client", "invite", "--uses", "3", "--expires", "2h", "--json"))["uses"] == 3


@pytest.mark.point(3)
def test_keys_are_rotated_retired_and_rewrapped(ostiary: Ostiary) -> None:
    """The states of keys follow rotation and retirement."""
    ostiary("keys", "rotate")
    rows = of(ostiary("keys", "list", "--json"))
    assert {row["state"] for row in rows} >= {"active", "scheduled", "next"}
    active = next(row for row in rows if row["alg"] == "ES256" and row["state"] == "active")
    retired = of(ostiary("keys", "retire", "--compromised", "--json", "--", active["kid"]))
    assert next(row for row in retired if row["kid"] == active["kid"])["state"] == "compromised"
    assert (
        "keys encrypted again"
        in ostiary("keys", "rewrap", OSTIARY_SECRET_KEY=f"{'n' * 32} {'s' * 32}").stdout
    )
    assert ostiary("keys", "rotate", OSTIARY_SECRET_KEY="n" * 32).exit_code == 0
    wrong = ostiary("keys", "rewrap", OSTIARY_SECRET_KEY="w" * 32)
    assert (wrong.exit_code, "does not decrypt" in wrong.stderr) == (1, True)


def test_without_stores_and_without_a_run_it_says_what_to_do(tmp_path: Path) -> None:
    """One sentence."""
    result = CliRunner().invoke(main, ["user", "list"], env={"OSTIARY_DATA_DIR": str(tmp_path)})
    assert result.exit_code == 1
    assert "no `ostiary run` uses the data folder" in result.stderr


def test_the_doctor_names_what_is_lost_without_root_paths(ostiary: Ostiary) -> None:
    """Without root aliases, the doctor lists the paths that are not served."""
    result = ostiary("doctor", "--json", OSTIARY_ISSUER="http://localhost:1/oidc", OSTIARY_ROOT_ALIASES="off")
    (sentence,) = (
        finding["sentence"] for finding in json.loads(result.stdout) if finding["subject"] == "Root paths"
    )
    assert all(path.path in sentence for path in PATHS if path.group is Group.ROOT_ALIAS)


def test_the_doctor_names_what_does_not_match(ostiary: Ostiary) -> None:
    """Missing keys and an unreachable URL are reported with remedies."""
    result = ostiary("doctor", "--json", OSTIARY_ISSUER="http://localhost:1/oidc")
    findings = {finding["subject"]: finding for finding in json.loads(result.stdout)}
    assert result.exit_code == 1
    assert [findings[name]["is_good"] for name in ("PostgreSQL", "Redis", "Migrations")] == [True] * 3
    assert [findings[name]["is_good"] for name in ("Keys", "Public URL")] == [False] * 2


@planted(examines_no_clients)
def test_the_doctor_names_clients_whose_algorithm_was_taken_away(ostiary: Ostiary) -> None:
    """Clients that require a removed algorithm are named with it."""
    for client_id, alg in (("one", "ES256"), ("two", "RS256")):
        metadata = {
            "client_id": client_id,
            "redirect_uris": ["https://rp.test/"],
            "id_token_signed_response_alg": alg,
        }
        of(ostiary("client", "add", "-", "--json", given=json.dumps(metadata)))
    for algorithms, is_good in (("RS256,ES256", True), ("RS256", False)):
        result = ostiary(
            "doctor",
            "--json",
            OSTIARY_ISSUER="http://localhost:1/oidc",
            OSTIARY_SIGNING_ALGORITHMS=algorithms,
        )
        (finding,) = (each for each in json.loads(result.stdout) if each["subject"] == "Clients")
        assert finding["is_good"] == is_good
        assert ("one (ES256) require" in finding["sentence"]) != is_good
        assert "two" not in finding["sentence"]


def test_every_grant_of_a_client_is_revoked(ostiary: Ostiary, database_url: str, redis_url: str) -> None:
    """Only the client's grants are revoked, and counted once."""
    metadata = '{"client_id": "%s", "redirect_uris": ["https://rp.test/"]}'
    for client_id in ("one", "two"):
        of(ostiary("client", "add", "-", "--json", given=metadata % client_id))
    asyncio.run(_grant(database_url, redis_url, "one", "one", "two"))
    assert of(ostiary("client", "revoke-grants", "one", "--json"))["grants_revoked"] == 2
    assert of(ostiary("client", "revoke-grants", "one", "--json"))["grants_revoked"] == 0
    assert of(ostiary("client", "revoke-grants", "two", "--json"))["grants_revoked"] == 1
    assert ostiary("client", "revoke-grants", "nobody").exit_code == 1


def test_a_consent_is_listed_and_revoked(ostiary: Ostiary, database_url: str, redis_url: str) -> None:
    """The consent is revoked with the grants of that user and client."""
    for client_id in ("one", "two"):
        metadata = json.dumps({"client_id": client_id, "redirect_uris": ["https://rp.test/"]})
        of(ostiary("client", "add", "-", "--json", given=metadata))
    username, _ = asyncio.run(_grant(database_url, redis_url, "one", "one"))
    (given,) = of(ostiary("user", "consents", username, "--json"))
    assert (given["client_id"], given["scope"], given["grants"]) == ("one", [], 1)
    assert given["granted"] == ["email", "offline_access", "openid", "profile"]
    assert of(ostiary("user", "revoke-consent", username, "two", "--json"))["grants_revoked"] == 0
    assert of(ostiary("user", "revoke-consent", username, "one", "--json"))["grants_revoked"] == 1
    assert of(ostiary("user", "consents", username, "--json")) == []
    for name, client_id in (("nobody", "one"), (username, "nobody")):
        assert ostiary("user", "revoke-consent", name, client_id).exit_code == 1


def test_logout_notices_are_listed_and_begun_anew(
    ostiary: Ostiary, database_url: str, redis_url: str
) -> None:
    """Ends by command line notify clients, too, and the doctor names clients that never accept a notice."""
    metadata = {"client_id": "one", "redirect_uris": ["https://rp.test/"]}
    metadata["backchannel_logout_uri"] = "https://rp.test/logout"
    of(ostiary("client", "add", "-", "--json", given=json.dumps(metadata)))
    (username,) = asyncio.run(_grant(database_url, redis_url, "one"))
    assert ostiary("user", "logout", username).exit_code == 0
    (notice,) = of(ostiary("outbox", "list", "--json"))
    assert (notice["client_id"], notice["state"], notice["tries"]) == ("one", "waiting", 0)
    asyncio.run(_give_up(database_url, redis_url, UUID(notice["jti"])))
    assert of(ostiary("outbox", "list", "--json"))[0]["state"] == "given up"
    assert "given up" in ostiary("outbox", "list").stdout
    findings = json.loads(ostiary("doctor", "--json", OSTIARY_ISSUER="http://localhost:1/oidc").stdout)
    finding = next(each for each in findings if each["subject"] == "Logout notices")
    assert not finding["is_good"]
    assert "one did not accept their notices" in finding["sentence"]
    assert of(ostiary("outbox", "retry", "--json"))["retried"] == 1
    assert of(ostiary("outbox", "list", "--json"))[0]["state"] == "waiting"


async def _grant(database_url: str, redis_url: str, *client_ids: str) -> list[str]:
    """Make a grant of a new user for each client. Returns the names of the users."""
    names = []
    async with open_world(settings_for(database_url, redis_url)) as world:
        for client_id in client_ids:
            sign_in, grant_id = await world.sign_in(), uuid4()
            code, expires_at = (
                await world.issued_code(sign_in.code(client_id)),
                clock.now() + timedelta(days=1),
            )
            await world.stores.grants.redeem(an_attempt(grant_id), grant_id.bytes, code, expires_at, None)
            names.append(sign_in.user.username)
    return names


async def _give_up(database_url: str, redis_url: str, notice_id: UUID) -> None:
    async with open_world(settings_for(database_url, redis_url)) as world:
        await world.stores.outbox.give_up(notice_id, clock.now())
