"""The error of every rule about users."""

from shared.process.operator_error import OperatorError


class BadUser(OperatorError):
    """The name, the claims or the password are invalid; the message says why."""
