"""The named checks of `/readyz`."""

from collections.abc import Callable

import structlog
from aiohttp import web

from shared.web.headers import NO_STORE, RETRY_AFTER, SAFE

Check = Callable[[], str | None]
"""Returns why the process is not ready, for the log, or None.

It queries no store: loops keep it up to date.
"""

logger = structlog.get_logger()


class Readiness:
    """The checks of a process. The process is ready while all of them pass."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}
        self._logged: frozenset[str] = frozenset()

    def add(self, name: str, check: Check) -> None:
        """Add a check, or replace the one of that name."""
        self._checks[name] = check

    def faults(self) -> dict[str, str]:
        """The failing checks and their reasons, sorted by name."""
        reasons = ((name, self._checks[name]()) for name in sorted(self._checks))
        return {name: reason for name, reason in reasons if reason is not None}

    def results(self) -> dict[str, bool]:
        """Whether each check passes."""
        return {name: check() is None for name, check in self._checks.items()}

    def answer(self) -> web.Response:
        """200, or 503 with the names of the failing checks. Each change is logged once."""
        faults = self.faults()
        if faults.keys() != self._logged:
            self._logged = frozenset(faults)
            if faults:
                logger.warning("not_ready", checks=faults)
            else:
                logger.info("ready")
        if not faults:
            return web.Response(text="ready\n", headers={**SAFE, **NO_STORE})
        headers = {**SAFE, **NO_STORE, **RETRY_AFTER}
        return web.Response(text=f"not ready: {', '.join(faults)}\n", status=503, headers=headers)
