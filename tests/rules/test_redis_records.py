"""Records in Redis outlive the release that wrote them: samples of earlier releases stay readable.

`redis_records/` has a file for each released layout, which is never edited, and `current.json` for what this
release writes. When that changes, the last release's file stays, under its own name.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.authorization.interaction.interaction import Interaction
from services.authorization.request.pushed_request import PushedRequest
from shared.model import (
    Approved,
    Authentication,
    Authorization,
    AuthorizationCode,
    ClaimsRequest,
    Denied,
    DeviceCode,
    Session,
)
from shared.oauth.parameters import Parameters
from shared.oauth.refusal import Reason, Refusal
from shared.store import DocumentCopy
from shared.store.ports.sessions import LiveSession
from shared.store.redis import (
    client_documents,
    codes,
    device_code_records,
    interactions,
    pushed_requests,
    refusals,
    sessions,
)
from shared.store.redis.records import JsonRecord
from tests.planted import planted
from tests.planted.redis import records_raise_when_unreadable, records_take_any_version

FOLDER = Path(__file__).parent / "redis_records"
RELEASES = sorted(path.stem for path in FOLDER.glob("*.json"))

AUTHENTICATION = Authentication(auth_time=datetime(2026, 11, 28, 11, tzinfo=UTC), acr="0", amr=("pwd",))
LATER = datetime(2026, 11, 28, 12, 0, 0, 250_000, tzinfo=UTC)
AUTHORIZATION = Authorization(
    client_id="files",
    user_id=UUID(int=1),
    sid=UUID(int=2),
    scope=("openid", "profile"),
    authentication=AUTHENTICATION,
    claims=ClaimsRequest(userinfo={"email": None}, id_token={"acr": {"values": ["0"]}}),
    nonce="n-0S6_WzA2Mj",
)
SESSION_KEY = b"k" * 32
DEVICE_CODE = DeviceCode(client_id="tv", scope=("openid",), user_code="BCDF-GHJK", expires_at=LATER)

VALUES: dict[str, Any] = {
    "code": AuthorizationCode(
        authorization=AUTHORIZATION,
        redirect_uri="https://app.example.org/cb",
        code_challenge="E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        epoch=3,
        expires_at=LATER,
    ),
    "device_code": DEVICE_CODE,
    "approval": replace(DEVICE_CODE, state=Approved(AUTHORIZATION, 3)),
    "denial": replace(DEVICE_CODE, state=Denied()),
    "session": Session(
        session_key=SESSION_KEY,
        sid=UUID(int=2),
        user_id=UUID(int=1),
        username="ada",
        epoch=3,
        authentication=AUTHENTICATION,
        expires_at=LATER,
    ),
    "interaction": Interaction(
        parameters={"client_id": "files", "response_type": "code"},
        pushed="a" * 64,
        browser="b" * 64,
        chosen="c" * 64,
        wants_another=True,
        signed_in="d" * 64,
    ),
    "document": DocumentCopy("{}", LATER),
    "refusal": Refusal(
        at=LATER,
        endpoint="/oidc/oauth2/auth",
        error="invalid_request",
        detail="redirect_uri is not registered; sent: https://a.test/; registered: none",
        reason=Reason.REDIRECT_URI,
        sent="https://a.test/",
    ),
    "pushed_request": PushedRequest("files", Parameters.of({"client_id": "files", "scope": "openid"}), LATER),
}
"""What each sample stands for."""

REQUEST = device_code_records.encode_request(DEVICE_CODE)
ROW = LiveSession(UUID(int=2), UUID(int=1), 3, needs_second_factor=False)


def _session(data: bytes) -> Session | None:
    record = sessions.FORMAT.decode(data)
    return sessions.restored(SESSION_KEY, ROW, record) if record else None


def _interaction(data: bytes) -> Interaction | None:
    members = interactions.decode(data)
    return Interaction.from_json(members) if members else None


def _pushed_request(data: bytes) -> PushedRequest | None:
    members = pushed_requests.decode(data)
    return PushedRequest.from_json(members) if members else None


READERS: dict[str, Callable[[bytes], object]] = {
    "code": codes.decode,
    "device_code": lambda data: device_code_records.decode(data, None),
    "approval": lambda data: device_code_records.decode(REQUEST, data),
    "denial": lambda data: device_code_records.decode(REQUEST, data),
    "session": _session,
    "interaction": _interaction,
    "document": client_documents.decode,
    "refusal": refusals.decode,
    "pushed_request": _pushed_request,
}
WRITERS: dict[str, Callable[[Any], bytes]] = {
    "code": codes.encode,
    "device_code": device_code_records.encode_request,
    "approval": lambda value: device_code_records.encode_decision(value.state),
    "denial": lambda value: device_code_records.encode_decision(value.state),
    "session": sessions.encode,
    "document": client_documents.encode,
    "refusal": refusals.encode,
    "interaction": lambda value: interactions.FORMAT.encode(JsonRecord(**value.to_json())),
    "pushed_request": lambda value: pushed_requests.FORMAT.encode(JsonRecord(**value.to_json())),
}
ABSENT: dict[str, object] = {"approval": DEVICE_CODE, "denial": DEVICE_CODE}
"""The value of an unreadable record. An unreadable decision leaves the device code pending."""


def _samples(release: str) -> dict[str, Any]:
    samples: dict[str, Any] = json.loads((FOLDER / f"{release}.json").read_text("utf-8"))
    return samples


def _damaged(
    record: Any, optional: frozenset[str] = frozenset({"v", "client_epoch", "document_hash"})
) -> Iterator[tuple[str, bytes]]:
    """The record as another release, or no release, may have written it."""
    yield "another version", json.dumps({**record, "v": 2}).encode()
    yield "a version that is no number", json.dumps({**record, "v": "x"}).encode()
    for name in record.keys() - optional:
        rest = {other: value for other, value in record.items() if other != name}
        yield f"without {name}", json.dumps(rest).encode()
        yield f"{name} of another type", json.dumps({**rest, name: [[0]]}).encode()
    whole = json.dumps(record).encode()
    for garbage in (b"", b"\xff\xfe", b"[]", b"0", b'"x"', whole[:-1], whole + b"x", b"{}"):
        yield f"garbage {garbage[:4]!r}", garbage


@pytest.mark.parametrize(
    ("release", "kind"),
    [(release, kind) for release in RELEASES for kind in VALUES if kind in _samples(release)],
)
def test_the_records_of_every_release_are_read(release: str, kind: str) -> None:
    """A sample means the same as when it was written."""
    assert READERS[kind](json.dumps(_samples(release)[kind]).encode()) == VALUES[kind]


@pytest.mark.parametrize("kind", VALUES)
def test_the_samples_are_current(kind: str) -> None:
    """The samples in `current.json` are what this release writes."""
    assert json.loads(WRITERS[kind](VALUES[kind])) == _samples("current")[kind]


@pytest.mark.parametrize("kind", [kind for kind in VALUES if kind != "denial"])
def test_members_of_a_later_release_are_ignored(kind: str) -> None:
    """A new member with a default does not change the version."""
    sample = {**_samples("current")[kind], "member_of_a_later_release": {"x": 1}}
    assert READERS[kind](json.dumps(sample).encode()) == VALUES[kind]


OPTIONAL = frozenset(
    {
        "v",
        "client_epoch",
        "pushed",
        "browser",
        "chosen",
        "wants_another",
        "signed_in",
        "proven",
        "remembers",
        "document_hash",
    }
)  # of an interaction


@planted(records_raise_when_unreadable, records_take_any_version)
@pytest.mark.parametrize("kind", [kind for kind in VALUES if kind != "denial"])
def test_an_unreadable_record_is_absent(kind: str) -> None:
    """A record of another version, without a member, or malformed counts as absent."""
    optional = (
        OPTIONAL if kind == "interaction" else frozenset({"v", "client_epoch", "resources", "reason", "sent"})
    )
    read = {name: READERS[kind](data) for name, data in _damaged(_samples("current")[kind], optional)}
    assert read == dict.fromkeys(read, ABSENT.get(kind))
