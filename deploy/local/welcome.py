"""The message of `ostiary run` when everything is ready."""

import shlex
from pathlib import Path

from deploy.local.demo import Demo
from shared.config.settings import Settings
from shared.paths import OPENID_CONFIGURATION


def welcome(
    settings: Settings, data: Path, demo: Demo | None, demo_file: Path, certificate: Path | None
) -> str:
    """The issuer, the data folder, the credentials while their file exists, and two things to try."""
    facts = {"Issuer": settings.issuer, "Data": str(data)}
    if certificate:
        facts["Root certificate"] = str(certificate)
    if demo:
        facts["User"] = f"{demo.username}, password {demo.password}"
        facts["Client"] = f"{demo.client_id}, secret {demo.client_secret}"
        facts["Redirect URI"] = demo.redirect_uris[0] + ", on any port"
        facts["Kept in"] = f"{demo_file} (delete it to hide these credentials)"
    trust = f"--cacert {shlex.quote(str(certificate))} " if certificate else ""
    width = max(map(len, facts))
    return "\n".join(
        (
            "\nOstiary is ready.\n",
            *(f"  {name:<{width}}  {value}" for name, value in facts.items()),
            "\nTry next:",
            f"  open {settings.origin}/ in a browser and sign in",
            f"  curl {trust}{OPENID_CONFIGURATION.at(settings.issuer)}",
            "\nCtrl-C stops everything. Your data are kept.",
        )
    )
