"""The table of faults of `make faults`."""

import pytest

from tests.fault.production.table import FAULTS


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_says_its_number_and_what_happens(name: str) -> None:
    """A row whose number has a letter is another way to the same fault."""
    row = FAULTS[name]
    assert (row.inject.__doc__ or "").startswith(f"{name.rstrip('b')}: ")
    assert row.description.endswith(".")
