"""The chain of sealed segments: hashes, and checkpoints that sign them. Pure."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.codec.base64url import base64url, from_base64url
from shared.model import AuditRecord, AuditSegment
from shared.oauth.tokens.jwt import BadJwt, sign, verify
from shared.oauth.tokens.keys import KeyTimes, SigningKey, public_jwk, thumbprint

BEGINNING = bytes(32)
"""What the first segment names as the hash before it."""

CHECKPOINT_TYPE = "audit-checkpoint+jwt"
ALGORITHM = "EdDSA"
_ALWAYS = KeyTimes(published_at=datetime.fromtimestamp(0, UTC), activates_at=None, retires_at=None)
_INFO = b"ostiary: checkpoints of the audit log, version 1"


def checkpoint_key(salt: bytes) -> Ed25519PrivateKey:
    """The key that signs checkpoints. *salt*: the deployment's, which is stored encrypted."""
    return Ed25519PrivateKey.from_private_bytes(HKDF(SHA256(), 32, salt=None, info=_INFO).derive(salt))


def segment_hash(previous: bytes, segment_id: int, records: Sequence[AuditRecord]) -> bytes:
    """The hash of a segment. *previous*: that of the segment before. *records*: its rows, by id."""
    hashed = hashlib.sha256(previous + segment_id.to_bytes(8, "big"))
    for record in records:
        content = _canonical(record)
        hashed.update(len(content).to_bytes(8, "big") + content)
    return hashed.digest()


def _canonical(record: AuditRecord) -> bytes:
    user_id = None if record.user_id is None else str(record.user_id)
    members = (record.audit_id, record.at.isoformat(), record.event, user_id, record.client_id, record.detail)
    return orjson.dumps(members, option=orjson.OPT_SORT_KEYS)


def sealed(last: AuditSegment | None, records: Sequence[AuditRecord], key: Ed25519PrivateKey) -> AuditSegment:
    """The segment of *records* after the *last* one, with its checkpoint."""
    segment_id = last.segment_id + 1 if last else 1
    segment = AuditSegment(
        segment_id=segment_id,
        audit_ids=tuple(record.audit_id for record in records),
        hash=segment_hash(last.hash if last else BEGINNING, segment_id, records),
        last_at=max(record.at for record in records),
        checkpoint="",
    )
    return replace(segment, checkpoint=sign(_signing_key(key), _claims(segment), CHECKPOINT_TYPE))


def _claims(segment: AuditSegment) -> dict[str, Any]:
    return {
        "segment": segment.segment_id,
        "rows": len(segment.audit_ids),
        "hash": base64url(segment.hash),
        "last_at": segment.last_at.isoformat(),
    }


def _signing_key(key: Ed25519PrivateKey) -> SigningKey:
    jwk = public_jwk(key.public_key())
    return SigningKey(kid=thumbprint(jwk), alg=ALGORITHM, times=_ALWAYS, private=key, jwk=jwk)


def checkpoint_fault(segment: AuditSegment, key: Ed25519PublicKey) -> str | None:
    """What is wrong with the checkpoint that is stored with a segment."""
    try:
        claims = verify(segment.checkpoint, key, ALGORITHM)
    except BadJwt:
        return "its checkpoint is not signed by this deployment"
    return None if claims == _claims(segment) else "its checkpoint is for other content"


def kept_checkpoint(text: str, key: Ed25519PublicKey) -> tuple[int, bytes]:
    """The segment and the hash of a checkpoint that was kept elsewhere. Raises BadJwt."""
    claims = verify(text, key, ALGORITHM)
    try:
        return int(claims["segment"]), from_base64url(claims["hash"])
    except (KeyError, TypeError, ValueError):
        raise BadJwt("it is no checkpoint") from None
