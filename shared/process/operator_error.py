"""Errors that an operator can fix. Pure."""

from typing import ClassVar


class OperatorError(Exception):
    """An error that an operator can fix. A command prints its `sentence` and exits with status 1.

    `template`: the sentence, with {} where the text of the error stands.
    """

    template: ClassVar[str] = "{}"

    @property
    def sentence(self) -> str:
        """What is wrong, and how to fix it unless that is obvious."""
        return self.template.format(self)
