"""The table of operators' client metadata in deploy/README.md against the declaration."""

import json
from dataclasses import MISSING, fields
from pathlib import Path

from shared.oauth.client.metadata.declaration import Setter
from shared.oauth.client.metadata.members import MEMBERS
from shared.oauth.client.record import Client

README = Path(__file__).parents[2] / "deploy" / "README.md"


def _row(name: str) -> str:
    member = MEMBERS[name]
    [declared] = [field for field in fields(Client) if field.name == name]
    default = declared.default if declared.default_factory is MISSING else declared.default_factory()
    text = member.default_text or f"`{json.dumps(member.kind.to_json(default))}`"
    if member.if_public is not None:
        text += f", for a public client `{json.dumps(member.if_public)}`"
    profiles = (f"{profile}: `{json.dumps(value)}`" for profile, value in member.profiles.items())
    example = f"`{json.dumps(member.example)}`"
    return f"| `{name}` | {member.about} | {text} | {'; '.join(profiles)} | {example} |"


def test_every_operators_member_is_documented_and_nothing_else() -> None:
    """Each member has a row with its meaning, default, defaults in profiles and an example."""
    expected = [_row(name) for name, member in MEMBERS.items() if member.set_by is Setter.OPERATORS]
    table = README.read_text("utf-8").split("\n## Client metadata for operators\n", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    assert rows == expected
