"""Ports: the faults that a store may raise."""

from shared.process.operator_error import OperatorError


class Unavailable(OperatorError):
    """A store did not answer, or not in time. Never a verdict: the caller gets 503 with Retry-After."""

    template = "A store cannot be reached: {}"


class OutcomeUnknown(Unavailable):
    """The statement may have been committed, or may be committed later.

    Raised when the connection is lost after the statement was sent, when no answer comes in time, and when a
    standby has not confirmed the commit. A plain Unavailable means that nothing was or will be committed. A
    cancelled task gets CancelledError, which leaves the outcome as unknown as this does.
    """


class Misconfigured(Unavailable):
    """A store answers but rejects this deployment: wrong password, unknown database, missing privilege.

    For a request this is Unavailable. Waiting does not help: the process is not ready and logs a defect.
    """


class Taken(OperatorError):
    """The name is in use."""

    template = "{} is taken"


class Stale(OperatorError):
    """The record has changed since it was read."""

    template = "{} was changed by somebody else at the same time: try again"


class UsedUp(Exception):
    """The initial access token is used up, expired or unknown."""


class Full(OperatorError):
    """There are as many clients that registered themselves as there may be."""

    template = "The limit is reached: {}"
