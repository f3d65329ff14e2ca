"""The checker finds each planted violation, and none in a correct history."""

from typing import Any

import pytest

from tests.fault.checker import (
    END,
    INTROSPECT,
    LOGOUT,
    REDEEM,
    REFRESH,
    USE,
    began_after,
    gains_hold,
    notices_arrive,
    retries_succeed,
    unsuccessful,
    violations,
)
from tests.fault.history import Broken, Done, History, Lost, Operation, Outcome, Rejected, Retryable


def _history(*operations: tuple[str, Outcome]) -> History:
    """Operations about one subject, one after the other."""
    return History(
        [
            Operation(kind, "x", number, number + 0.5, outcome)
            for number, (kind, outcome) in enumerate(operations)
        ]
    )


def _done(**body: Any) -> Done:
    return Done(body)


RIGHT = _history(
    (REDEEM, Retryable()),
    (REDEEM, Lost()),
    (REDEEM, _done()),
    (REFRESH, _done(refresh_token="1")),
    (REFRESH, _done(refresh_token="1")),
    (USE, _done(active=True)),
    (END, Retryable()),
    (USE, _done(active=True)),
    (END, _done()),
    (USE, Rejected("inactive")),
    (INTROSPECT, _done(active=False)),
    (INTROSPECT, _done(active=True)),
)


def test_a_history_that_is_right_passes() -> None:
    """No invariant is broken by retries, lost answers and honest refusals."""
    assert violations(RIGHT) == []
    assert retries_succeed(RIGHT, REDEEM, REFRESH, END) == []
    assert gains_hold(RIGHT) == []


@pytest.mark.parametrize(
    ("history", "words"),
    [
        (_history((REDEEM, Broken(500))), "answered 500"),
        (_history((REDEEM, _done()), (REDEEM, _done())), "redeemed 2 times"),
        (_history((REFRESH, _done(refresh_token="1")), (REFRESH, _done(refresh_token="2"))), "2 successors"),
        (_history((END, _done()), (USE, _done(active=True))), "after its acknowledged end"),
        (_history((LOGOUT, _done()), (USE, _done())), "after its acknowledged end"),
    ],
)
def test_a_violation_is_named(history: History, words: str) -> None:
    """Each invariant of every fault has a history that breaks it alone."""
    (fault,) = violations(history)
    assert words in fault


@pytest.mark.parametrize(
    ("history", "words"),
    [
        (
            _history((REDEEM, Retryable()), (REDEEM, Rejected("invalid_grant"))),
            "refused: invalid_grant",
        ),
        (_history((REDEEM, Retryable()), (REDEEM, Lost())), "never succeeded"),
    ],
)
def test_a_retry_that_destroys_is_named(history: History, words: str) -> None:
    """A refusal after a 503 is found, and so is a request that never gets through."""
    assert any(words in fault for fault in retries_succeed(history, REDEEM))


def test_a_gain_that_died_is_named() -> None:
    """The last introspection of a token decides."""
    assert gains_hold(_history((INTROSPECT, _done(active=True)), (INTROSPECT, _done(active=False))))


@pytest.mark.parametrize("notices", [{}, {"y": {"1"}}, {"x": {"1", "2"}}])
def test_a_notice_that_is_missing_or_not_alone_is_named(notices: dict[str, set[str]]) -> None:
    """Each acknowledged logout has one notice, however often it was sent; others have none."""
    history = _history((LOGOUT, Retryable()), (LOGOUT, _done()))
    assert "notices of the logout of x" in notices_arrive(history, notices)[0]
    assert notices_arrive(history, {"x": {"1"}}) == []
    assert notices_arrive(_history((LOGOUT, Retryable())), {}) == []


@pytest.mark.parametrize("outcome", [Retryable(), Lost(), Broken(500)])
def test_what_fails_after_the_fault_is_named(outcome: Outcome) -> None:
    """Only what began later counts, and a refusal is an answer."""
    history = _history((REDEEM, outcome), (REDEEM, Rejected("invalid_grant")), (REDEEM, outcome))
    (fault,) = unsuccessful(began_after(history, 0))
    assert type(outcome).__name__ in fault
    assert unsuccessful(began_after(history, 2)) == []
