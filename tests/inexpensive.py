"""Passwords and RSA keys that cost little, for services in the process of the tests.

Both are slow on purpose, and few tests are about that. Unit tests take the real ones; so does every service
that a test starts as a process.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle
from threading import Lock

import pytest

from shared.identity.passwords import FAST, Passwords
from shared.oauth.tokens.keys import PrivateKey
from shared.operations import new_keys
from shared.server import resources

RSA_KEYS = 32  # more than any database has

MakeKey = Callable[[str], PrivateKey]


def _again_and_again(make: MakeKey) -> MakeKey:
    """Makes RSA_KEYS RSA keys, as they are asked for, and then hands the same ones out in the same order."""
    rsa_keys, lock = cycle(make("RS256") for _ in range(RSA_KEYS)), Lock()

    def private_key(alg: str) -> PrivateKey:
        if not alg.startswith(("RS", "PS")):
            return make(alg)
        with lock:
            return next(rsa_keys)

    return private_key


@pytest.fixture(scope="session")
def _private_key() -> MakeKey:
    return _again_and_again(new_keys.new_private_key)


@pytest.fixture(autouse=True, scope="module")
def _inexpensive(request: pytest.FixtureRequest, _private_key: MakeKey) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        if "unit" not in request.path.parts:
            monkeypatch.setattr(new_keys, "new_private_key", _private_key)
            monkeypatch.setattr(resources, "Passwords", partial(Passwords, FAST))
        yield
