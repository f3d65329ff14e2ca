"""Planted defects of the audit log's chain."""

import orjson
import pytest

from shared.model import AuditRecord
from shared.operations.audit import chain, verify
from shared.store import Expiring
from shared.store.postgres import expiry


def details_are_not_hashed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash which events there were, but not what they were about."""
    monkeypatch.setattr(chain, "_canonical", lambda record: orjson.dumps((record.audit_id, record.event)))


def rows_are_hashed_without_their_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash a segment as a set of rows."""
    canonical, segment_hash = chain._canonical, chain.segment_hash

    def content(record: AuditRecord) -> bytes:
        return canonical(record).partition(b",")[2]

    def of_set(previous: bytes, segment_id: int, records: list[AuditRecord]) -> bytes:
        return segment_hash(previous, segment_id, sorted(records, key=content))

    monkeypatch.setattr(chain, "_canonical", content)
    for module in (chain, verify):
        monkeypatch.setattr(module, "segment_hash", of_set)


def missing_rows_are_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compare the rows that are there with nothing."""
    monkeypatch.setattr(verify, "_row_faults", lambda *_: [])


def gaps_are_not_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accept whatever segment comes next."""
    monkeypatch.setattr(verify, "_place_faults", lambda *_: [])


def checkpoints_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ignore the checkpoints that were kept elsewhere."""
    monkeypatch.setattr(verify, "_exported_fault", lambda *_: None)


def any_checkpoint_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not verify the signatures of checkpoints."""
    monkeypatch.setattr(verify, "checkpoint_fault", lambda *_: None)


def rows_are_removed_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove audit rows by their own age, and no segments."""
    by_age = expiry._remove("audit", "audit_id", expiry._ended("at"), "t.at")
    monkeypatch.setitem(expiry._REMOVE, Expiring.AUDIT, by_age)
