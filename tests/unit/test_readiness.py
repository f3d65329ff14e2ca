"""`/readyz` composes named checks."""

from functools import partial

import structlog

from shared.server.readiness import Readiness


def _readiness(faults: dict[str, str | None]) -> Readiness:
    readiness = Readiness()
    for name in tuple(faults):
        readiness.add(name, partial(faults.get, name))
    return readiness


def test_ready_while_every_check_passes() -> None:
    """200 without details."""
    answer = _readiness({"keys": None, "clock": None}).answer()
    assert (answer.status, answer.text) == (200, "ready\n")
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_body_names_the_checks_that_fail() -> None:
    """503 with Retry-After; only the log has the reasons."""
    answer = _readiness({"postgresql": "silent", "keys": None, "clock": "late"}).answer()
    assert (answer.status, answer.text) == (503, "not ready: clock, postgresql\n")
    assert answer.headers["Retry-After"] == "1"


def test_a_change_is_logged_once_with_its_reasons() -> None:
    """A probe every second does not fill the log."""
    faults: dict[str, str | None] = {"keys": None, "clock": "21 s late"}
    readiness = _readiness(faults)
    with structlog.testing.capture_logs() as logs:
        readiness.answer()
        readiness.answer()
        faults["clock"] = None
        readiness.answer()
        readiness.answer()
    assert [(line["event"], line.get("checks")) for line in logs] == [
        ("not_ready", {"clock": "21 s late"}),
        ("ready", None),
    ]
