"""oidc-agent, which gets tokens for a person's shell."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from deploy.applications.preset import provider_values
from tests.applications.client import AddedClient
from tests.applications.debian_root import CA_FILE, in_root
from tests.applications.person import PERSON
from tests.applications.serving import needs_application
from tests.flow.op import Op
from tests.flow.user_agent import UserAgent

NAME = "oidc-agent"
HANG_GUARD = 300  # seconds
SCRIPT = """
eval "$(oidc-agent)" > /dev/null
until oidc-agent --status > /dev/null 2>&1; do :; done
export OIDC_ENCRYPTION_PW=of-the-test
stdbuf -oL %(line)s --flow=device --no-url-call --prompt=none --confirm-yes --pw-env --cp=%(ca_file)s 2>&1
echo "first: $(oidc-token ostiary)"
echo "second: $(oidc-token --force-new ostiary)"
read -r _
oidc-gen --delete --confirm-yes --pw-env ostiary
echo "deleted:"
"""


@contextmanager
def shell(op: Op, client: AddedClient, folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """A shell of hers with the line of the preset; without a browser of its own, by the device flow."""
    script = SCRIPT % {"line": client.lines[0].strip(), "ca_file": CA_FILE}
    argv = in_root(
        op, needs_application(NAME), folder, "env", f"HOME={folder}", "stdbuf", "-oL", "sh", "-c", script
    )
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def _said(process: "subprocess.Popen[str]", pattern: str) -> str:
    """What the first line that has *pattern* says for its group."""
    assert process.stdout
    lines = []
    for line in process.stdout:
        lines.append(line)
        if found := re.search(pattern, line):
            return found[1]
    raise AssertionError(f"never {pattern}: {''.join(lines)}")


def _decide(op: Op, process: "subprocess.Popen[str]", button: str) -> None:
    """She opens the page that the agent names, enters the code there, and presses the button."""
    browser = UserAgent(op.door)
    page = browser.visit(_said(process, rf"({re.escape(op.issuer)}/device)"))
    page = browser.press(page, "device-continue", user_code=_said(process, r"code: (\S+)"))
    page = browser.press(page, "login-submit", username=op.username, password=op.password)
    assert browser.press(page, button).status == 200


def _userinfo(op: Op, token: str) -> requests.Response:
    endpoint = provider_values(op.issuer)["userinfo_endpoint"]
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(endpoint, headers=headers, verify=str(op.ca_file), timeout=HANG_GUARD)


def test_a_person_gets_tokens_in_her_shell(provider: Op, tmp_path: Path) -> None:
    """They are hers, the agent renews them, and it revokes them when she deletes the account."""
    client = AddedClient.of_preset(provider, NAME)
    with shell(provider, client, tmp_path) as process:
        _decide(provider, process, "consent-allow")
        first, second = (_said(process, f"{name}: (.+)") for name in ("first", "second"))
        assert first != second
        known = _userinfo(provider, second).json()
        assert (known["name"], known["email"]) == (PERSON.name, PERSON.email)
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
        _said(process, "(deleted:)")
    assert _userinfo(provider, second).status_code == 401


def test_a_person_who_denies_gives_no_token(provider: Op, tmp_path: Path) -> None:
    """The agent has no account afterwards."""
    client = AddedClient.of_preset(provider, NAME)
    with shell(provider, client, tmp_path) as process:
        _decide(provider, process, "consent-deny")
        assert _said(process, "first: (.*)") == ""
