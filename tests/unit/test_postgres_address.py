"""What asyncpg is told about where the database is."""

import getpass
from typing import Any

import pytest

from shared.store.postgres.address import connect_arguments


@pytest.mark.parametrize(
    ("url", "arguments"),
    [
        ("postgresql://ada:p%40ss@db/ostiary", {"port": [5432], "user": "ada", "password": "p@ss"}),
        ("postgresql://ada@db:6432/ostiary", {"port": [6432], "password": "", "database": "ostiary"}),
        ("postgresql://ada@db1,db2:6432,[::1]:7/o", {"port": [5432, 6432, 7]}),
        ("postgresql://ada@[2001:db8::1]/o", {"port": [5432]}),
        ("postgresql://ada@/o?host=/run/pg", {"port": [5432], "database": "o"}),
        ("postgresql://db", {"user": getpass.getuser(), "database": getpass.getuser()}),
        ("postgresql:///o?user=ada&password=p", {"user": "ada", "password": "p", "port": 5432}),
        ("postgresql://db/?dbname=o&user=ada", {"database": "o"}),
        ("postgresql://db/o", {"ssl": "prefer", "direct_tls": False}),
    ],
)
def test_what_a_url_leaves_out_is_filled_in(url: str, arguments: dict[str, Any]) -> None:
    """Nothing is left for the environment to fill in."""
    assert connect_arguments(url).items() >= arguments.items()


def test_what_a_url_says_is_left_to_asyncpg() -> None:
    """TLS parameters and ports of the URL hold."""
    arguments = connect_arguments("postgresql://db/o?sslmode=verify-full&sslnegotiation=direct&port=7")
    assert not {"ssl", "direct_tls", "port", "host"} & arguments.keys()
