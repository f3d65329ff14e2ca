"""Finds violations in a history. Pure.

Each function checks one invariant and returns its violations as text. An empty list is a pass.
"""

from collections.abc import Collection, Mapping

from tests.fault.history import Broken, Done, History, Lost, Operation, Rejected, Retryable

AUTHORIZE = "authorize"
REDEEM = "redeem"
REFRESH = "refresh"
INTROSPECT = "introspect"
END = "end"  # any negative fact: a revocation, a disabled user
LOGOUT = "logout"  # one whose clients get a notice
USE = "use"  # a use of what a negative fact has ended


def violations(history: History) -> list[str]:
    """The violations of all invariants that hold under every fault."""
    return [
        *answers_are_excused(history),
        *codes_are_redeemed_once(history),
        *successors_are_distinct(history),
        *ends_hold(history),
    ]


def answers_are_excused(history: History) -> list[str]:
    """A fault of a dependency is a 503 with Retry-After, and nothing else."""
    return [
        f"{operation.kind} of {operation.subject} was answered {operation.outcome.status}"
        for operation in history.operations
        if isinstance(operation.outcome, Broken)
    ]


def codes_are_redeemed_once(history: History) -> list[str]:
    """Of all redemptions of one code, at most one succeeds."""
    return [
        f"code {code} was redeemed {count} times"
        for code, redemptions in history.by_subject(REDEEM).items()
        if (count := sum(isinstance(each.outcome, Done) for each in redemptions)) > 1
    ]


def successors_are_distinct(history: History) -> list[str]:
    """All successful refreshes with one refresh token give the same successor."""
    return [
        f"refresh token {token} has {count} successors"
        for token, refreshes in history.by_subject(REFRESH).items()
        if (count := len(_successors(refreshes))) > 1
    ]


def _successors(refreshes: list[Operation]) -> set[str]:
    return {each.outcome.body["refresh_token"] for each in refreshes if isinstance(each.outcome, Done)}


def ends_hold(history: History) -> list[str]:
    """No operation that began after an acknowledged end succeeds."""
    ends = {end.subject: end for end in history.of(END, LOGOUT) if isinstance(end.outcome, Done)}
    return [
        f"{use.subject} was used after its acknowledged end"
        for use in history.of(USE)
        if use.subject in ends and use.began > ends[use.subject].ended and isinstance(use.outcome, Done)
    ]


def retries_succeed(history: History, *kinds: str) -> list[str]:
    """A client that repeats requests after a 503 or a lost answer is never refused, and succeeds in the end.

    It holds under every fault that kills no service.
    """
    faults = []
    for kind in kinds:
        for subject, attempts in history.by_subject(kind).items():
            faults += _refusals(subject, attempts)
            if not any(isinstance(each.outcome, Done) for each in attempts):
                faults.append(f"{kind} of {subject} never succeeded")
    return faults


def _refusals(subject: str, attempts: list[Operation]) -> list[str]:
    return [
        f"{each.kind} of {subject} was refused: {each.outcome.error}"
        for each in attempts
        if isinstance(each.outcome, Rejected)
    ]


def gains_hold(history: History) -> list[str]:
    """Issued tokens keep working: the last introspection of each access token finds it active."""
    return [
        f"the access token of {subject} is dead"
        for subject, checks in history.by_subject(INTROSPECT).items()
        if not (isinstance(outcome := checks[-1].outcome, Done) and outcome.body["active"])
    ]


def notices_arrive(history: History, notices: Mapping[str, Collection[str]]) -> list[str]:
    """Each acknowledged logout has a notice, and only one, by its `jti`. *notices*: those by session."""
    ended = {each.subject for each in history.of(LOGOUT) if isinstance(each.outcome, Done)}
    return [
        f"{len(notices.get(session, ()))} notices of the logout of {session}"
        for session in sorted(ended)
        if len(notices.get(session, ())) != 1
    ]


def began_after(history: History, moment: float) -> History:
    """The operations that began later."""
    return History([operation for operation in history.operations if operation.began > moment])


def unsuccessful(history: History) -> list[str]:
    """What was not answered, or with a 503, although nothing is wrong any more."""
    return [
        f"{operation.kind} of {operation.subject} got {type(operation.outcome).__name__}"
        for operation in history.operations
        if isinstance(operation.outcome, Retryable | Lost | Broken)
    ]
