"""`ostiary client posture` with a running deployment."""

import json
import subprocess
import sys

from tests.flow.op import Op

WEAK = {"redirect_uris": ["https://rp.test/callback"], "require_pkce": False, "access_token_lifetime": 86400}


def test_weaknesses_are_shown_and_end_with_their_remedies(op: Op) -> None:
    """Of one client or all, on a terminal or as JSON; the exit status is 0 in any case."""
    client_id = op.add_client(client_name="Weak", **WEAK)["client_id"]
    (shown,) = json.loads(op.ostiary("client", "posture", client_id, "--json"))
    assert (shown["client_id"], shown["client_name"]) == (client_id, "Weak")
    found = {weakness["member"]: weakness for weakness in shown["weaknesses"]}
    assert found.keys() == {"require_pkce", "access_token_lifetime"}
    assert shown in json.loads(op.ostiary("client", "posture", "--json"))
    text = op.ostiary("client", "posture", client_id)
    assert text.startswith(f"{client_id}  Weak\n  require_pkce {found['require_pkce']['sentence']}.\n")
    assert text.endswith("1 of 1 clients have weaknesses.\n")
    assert f"\n    {found['require_pkce']['remedy']}\n" in text
    for weakness in found.values():
        command = weakness["remedy"].split("`")[1]
        command = command.replace("| ostiary", f"| {sys.executable} -P -m services.cli")
        subprocess.run(command, shell=True, env=dict(op.environment), check=True, capture_output=True)
    assert op.ostiary("client", "posture", client_id) == "0 of 1 clients have weaknesses.\n"


def test_a_disabled_client_is_shown_by_its_id_only(op: Op) -> None:
    """Nobody can use its weaknesses; and an unknown one is an error."""
    client_id = op.add_client(**WEAK)["client_id"]
    op.ostiary("client", "disable", client_id)
    assert client_id not in op.ostiary("client", "posture")
    assert op.ostiary("client", "posture", client_id).startswith(f"{client_id}\n")
    assert op.ostiary("client", "posture", "nobody", statuses=(1,)) == ""
