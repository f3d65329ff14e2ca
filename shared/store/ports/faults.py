"""Ports: the faults that a store may raise."""


class Unavailable(Exception):
    """A store did not answer, or not in time. Never a verdict: the caller gets 503 with Retry-After."""


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


class Taken(Exception):
    """The name is in use."""


class Stale(Exception):
    """The record has changed since it was read."""


class Full(Exception):
    """There are as many clients that registered themselves as there may be."""
