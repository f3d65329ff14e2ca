"""Every complete `ostiary` command in the prose of deploy/README.md, run where all that it names is there."""

import asyncio
import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import bcrypt
import click
from click.testing import Result

from services.cli import main
from shared.store import NewSecondFactor
from tests.deployment import open_world, settings_for
from tests.flow.command_line import Ostiary, of, verb_of
from tests.flow.starter import ROOT

GUIDE = (ROOT / "deploy" / "README.md").read_text("utf-8")
ELSEWHERE = ("run", "serve", "setup", "doctor", "client add")
"""What test_run.py, test_setup.py and test_operator_guide.py run."""
PASSWORD = "a long enough password"
SCOPE = ("openid",)
SECOND_FACTOR = NewSecondFactor(secret=b"12345678901234567890", step=0, recovery_hashes=("a" * 64,))


def _is_complete(words: list[str]) -> bool:
    """Whether they are a command with all of its arguments, not only its name."""
    command: click.Command = main
    while isinstance(command, click.Group) and words and (verb := verb_of(command, words[0])):
        command = verb
        del words[0]
    needed = [one for one in command.params if isinstance(one, click.Argument) and one.required]
    given = [word for word in words if not word.startswith("-")]
    return not isinstance(command, click.Group) and len(given) >= len(needed)


def _commands() -> Iterator[str]:
    for text in {" ".join(found.split()) for found in re.findall(r"`ostiary ([^`]+)`", GUIDE)}:
        command = re.sub(r" \[[^]]+\]", "", text)
        if not command.startswith(ELSEWHERE) and _is_complete(command.split()):
            yield command


def _block(section: str) -> str:
    """The JSON file that a section shows."""
    return GUIDE.partition(f"\n{section}\n")[2].partition("```json\n")[2].partition("```")[0]


@dataclass(frozen=True, slots=True)
class Deployed:
    """A deployment, and what the words in capitals of a command stand for: made anew for each command."""

    ostiary: Ostiary
    database_url: str
    redis_url: str
    folder: Path

    def run(self, command: str, empty_database_url: str) -> str:
        """Run it. Returns what went wrong, if anything."""
        values = self.values(command)
        words = [values.get(word, word) for word in shlex.split(command)]
        others = {"OSTIARY_DATABASE_URL": empty_database_url} if words[0] == "restore" else {}
        done = self.ostiary(*words, given=f"{PASSWORD}\n{PASSWORD}\n", **others)
        return "" if done.exit_code == 0 else f"{' '.join(words)}: {done.exit_code} {done.output}"

    def values(self, command: str) -> dict[str, str]:
        """What each word stands for."""
        url = f"https://{uuid4().hex[:8]}.example/metadata"
        has_url = "URL" in command and "approve" not in command
        name, sid, client_id = asyncio.run(self._signed_in(url if has_url else None))
        values = {"NAME": name, "USER": name, "SID": sid, "ID": client_id, "URL": url, "TEXT": "laptop"}
        match command.split():
            case ["group", *_]:
                values["NAME"] = f"group-{uuid4().hex[:8]}"
                if "add" not in command:
                    self._do("group", "add", values["NAME"])
                if "leave" in command:
                    self._do("group", "join", values["NAME"], name)
                if "GROUP" in command:
                    values["GROUP"] = f"group-{uuid4().hex[:8]}"
                    self._do("group", "add", values["GROUP"])
            case ["role", *_]:
                values["NAME"] = f"role-{uuid4().hex[:8]}"
                if "add" not in command:
                    self._do("role", "add", values["NAME"])
            case ["user", "add", *_]:
                values["NAME"] = f"user-{uuid4().hex[:8]}"
            case ["user", "token", "revoke", *_]:
                values["ID"] = of(self._do("user", "token", "add", name, "--name", "a", "--json"))["token_id"]
            case ["user", "lift-hold", _]:
                self._do("group", "add", sid, "--scope", "ostiary.users:read")
                self._do("group", "join", sid, name)
                asyncio.run(self._recovered(name))
            case ["user", "import", _]:
                password_hash = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
                values["FILE"] = self._file(_block("### Passwords").replace("$2b$12$…", password_hash))
            case ["client", "update", *_]:
                values["FILE"] = self._file(json.dumps({"redirect_uris": ["https://rp.example/callback"]}))
            case ["keys", "retire", *_]:
                self._do("keys", "rotate")
                values["KID"] = of(self._do("keys", "list", "--json"))[0]["kid"]
            case ["resource", "add", _]:
                values["FILE"] = self._file(_block("## Protected resources"))
            case ["resource", "metadata", _]:
                values["NAME"] = f"https://{uuid4().hex[:8]}.example/"
                self._do("resource", "add", self._file(json.dumps({"resource": values["NAME"]})))
            case ["audit", "verify", *_]:
                values["FILE"] = self._file(self._do("audit", "export").stdout)
            case ["issuer", *_]:
                values["URL"] = "https://id.example.net/oidc"
            case ["backup" | "restore", *_]:
                values["FOLDER"] = str(self.folder / uuid4().hex)
                if "restore" in command:
                    self._do("backup", values["FOLDER"])
        return values

    def _do(self, *words: str) -> Result:
        done = self.ostiary(*words)
        assert done.exit_code == 0, (words, done.output)
        return done

    def _file(self, text: str) -> str:
        file = self.folder / f"{uuid4().hex}.json"
        file.write_text(text, "utf-8")
        return str(file)

    async def _recovered(self, name: str) -> None:
        """Let the user have used a recovery link just now."""
        async with open_world(settings_for(self.database_url, self.redis_url, secret_key="s" * 32)) as world:
            await world.database.row("UPDATE users SET recovered_at = now() WHERE username = $1", name)

    async def _signed_in(self, url: str | None) -> tuple[str, str, str]:
        """A user with a session, a second factor and a client's consent; the client's id may be a *url*.

        Returns the user's name, the session's id and the client's.
        """
        async with open_world(settings_for(self.database_url, self.redis_url, secret_key="s" * 32)) as world:
            sign_in, client = await world.sign_in(), await world.client(client_id=url)
            await world.stores.second_factors.add(sign_in.user.user_id, SECOND_FACTOR)
            await world.stores.consents.add(sign_in.user.user_id, client.client_id, SCOPE, is_remembered=True)
            return sign_in.user.username, str(sign_in.sid), client.client_id


def test_every_command_does_what_it_is_documented_for(
    ostiary: Ostiary, database_url: str, redis_url: str, empty_database_url: str, tmp_path: Path
) -> None:
    """Exit status 0 for each; `ostiary issuer set` comes last, because it ends what the others begin with."""
    deployed = Deployed(ostiary, database_url, redis_url, tmp_path)
    commands = sorted(_commands(), key=lambda command: (command.startswith("issuer"), command))
    faults = [fault for command in commands if (fault := deployed.run(command, empty_database_url))]
    assert faults == []
    assert len(commands) > 40
