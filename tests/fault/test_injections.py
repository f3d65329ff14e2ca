"""A fault that cannot begin is told, and no test waits for it."""

from contextlib import AbstractAsyncContextManager

import pytest

from tests.fault.injections import lasting


class _Impossible(AbstractAsyncContextManager[None]):
    """No process is there to be halted."""

    async def __aenter__(self) -> None:
        raise ProcessLookupError

    async def __aexit__(self, *_: object) -> None:
        """Never called."""


async def test_a_fault_that_cannot_begin_is_told() -> None:
    """With what has kept it from beginning."""
    with pytest.raises(ProcessLookupError):
        async with lasting(_Impossible(), 60):
            pytest.fail("the fault has not begun")
