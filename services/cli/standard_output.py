"""Standard output, whose reader may go and whose disk may be full."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import click

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


class CannotWrite(Exception):
    """Standard output cannot be written: its reader has gone, or the disk is full."""

    def __init__(self, fault: OSError) -> None:
        super().__init__(fault.strerror)
        self.is_unread = fault.errno == errno.EPIPE


def echo(text: str | bytes, *, nl: bool = True) -> None:
    """Print *text*. Raises CannotWrite, which cannot be mistaken for a fault of a store."""
    try:
        click.echo(text, nl=nl)
    except OSError as fault:
        raise CannotWrite(fault) from None


@contextmanager
def lost_output_in_a_sentence() -> Iterator[None]:
    """Turn output that cannot be written into exit status 1, with a sentence unless its reader has gone."""
    try:
        yield
    except CannotWrite as fault:
        _give_up(fault)
    except OSError as fault:  # from click itself: help, version
        if fault.errno not in _NO_ROOM:
            raise
        _give_up(CannotWrite(fault))


def _give_up(fault: CannotWrite) -> NoReturn:
    # Otherwise the buffered rest would raise again when the interpreter exits.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if not fault.is_unread:
        click.echo(f"Error: The output cannot be written: {fault}", err=True)
    sys.exit(1)
