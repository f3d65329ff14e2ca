"""The faults that a store may raise."""


class Unavailable(Exception):
    """A store did not answer, or not in time. Never a verdict: the caller gets 503 with Retry-After."""


class Taken(Exception):
    """The name is in use."""


class Stale(Exception):
    """The record has changed since it was read."""


class Full(Exception):
    """There are as many clients that registered themselves as there may be."""
