"""The demo user and client. A file in the data folder has their credentials until it is deleted."""

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.local.child import RunError
from deploy.local.folders import write_private
from shared.paths import OUT_OF_BAND


@dataclass(frozen=True, slots=True)
class Demo:
    """The credentials of the demo user and of the demo client."""

    username: str
    password: str
    client_id: str
    client_secret: str
    redirect_uris: tuple[str, ...]


def _made(origin: str) -> Demo:
    return Demo(
        username="demo",
        password=secrets.token_urlsafe(12),
        client_id="demo",
        client_secret=secrets.token_urlsafe(32),
        redirect_uris=(
            "http://127.0.0.1/callback",  # any port: RFC 8252 §7.3
            "http://127.0.0.1:9000/callback",
            "http://localhost:9000/callback",
            origin + str(OUT_OF_BAND),
        ),
    )


def credentials(path: Path, origin: str, is_first: bool) -> Demo | None:
    """The credentials in *path*, created on the first start. None: someone has deleted the file.

    Raises RunError if the file is damaged.
    """
    if is_first:
        write_private(path, json.dumps(asdict(_made(origin)), indent=2) + "\n")
    try:
        fields = json.loads(path.read_text("utf-8"))
        return Demo(**fields | {"redirect_uris": tuple(fields["redirect_uris"])})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RunError(f"The demo credentials in {path} cannot be read ({error}): delete the file") from None
