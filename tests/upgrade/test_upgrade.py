"""Upgrades and rollbacks without an error."""

from pathlib import Path

import pytest

from tests.tools import LACKING
from tests.upgrade.rehearsal import rehearse
from tests.upgrade.releases import NoHistory, releases


@pytest.mark.timeout(600)
def test_an_upgrade_and_its_rollback_lose_nothing(tmp_path: Path) -> None:
    """Sessions, tokens, keys and clients of every phase hold in each later one, whichever release answers."""
    try:
        report = rehearse(releases()[0], tmp_path, rounds=1)
    except NoHistory:
        pytest.skip(f"{LACKING}the whole history of this clone: git fetch --unshallow")
    assert report.faults == []
    assert report.requests > 0
