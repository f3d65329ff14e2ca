"""Defects of the comparison of a schema with its migrations."""

import pytest

from shared.store import schema


def takes_any_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is there is right."""
    monkeypatch.setattr(schema, "_compare", lambda expected, actual: [])


def takes_any_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """An index that is not valid is taken for one that is."""
    monkeypatch.setattr(schema, "_DESCRIBE", schema._DESCRIBE.replace("i.indisvalid", "true"))
