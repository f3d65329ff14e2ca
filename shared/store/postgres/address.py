"""Where the database is, as asyncpg is told.

asyncpg fills what a URL leaves out from libpq's environment (`PGHOST`, `PGPORT`, `PGUSER`, `PGPASSWORD`,
`PGDATABASE`, `PGSSLMODE`, `PGTARGETSESSIONATTRS`, …) and from `~/.pgpass`. Another program's variables would
then decide which database this one uses, so everything is passed explicitly. TLS parameters of the URL
(`sslmode`, `sslrootcert`, `sslcert`, `sslkey`, …) are asyncpg's to read.
"""

import getpass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

_SOCKET_FOLDERS = ["/run/postgresql", "/var/run/postgresql", "/tmp", "localhost"]  # noqa: S108 - as libpq's
_PORT = 5432


def connect_arguments(url: str) -> dict[str, Any]:
    """Keyword arguments for `asyncpg.connect` that leave nothing to the environment.

    A URL may name several hosts: asyncpg takes the first that accepts writes.
    """
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    credentials, _, netloc_hosts = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    hosts = unquote(netloc_hosts) or query.get("host", [""])[-1]
    arguments: dict[str, Any] = {"dsn": url, "target_session_attrs": "read-write"}
    if not hosts:
        arguments["host"] = _SOCKET_FOLDERS
    if "port" not in query:
        arguments["port"] = [_port_of(host) for host in hosts.split(",")] if hosts else _PORT
    arguments["user"] = unquote(user) or query.get("user", [""])[-1] or getpass.getuser()
    arguments["password"] = unquote(password) or query.get("password", [""])[-1]
    databases = (unquote(parts.path.lstrip("/")), *query.get("dbname", []), *query.get("database", []))
    arguments["database"] = next(filter(None, databases), arguments["user"])
    if "sslmode" not in query:
        arguments["ssl"] = "prefer"
    if "sslnegotiation" not in query:
        arguments["direct_tls"] = False
    return arguments


def _port_of(host: str) -> int:
    """The port of one host of a list: `host:5433`, `[2001:db8::1]:5433`, `/run/postgresql`."""
    port = host.rpartition("]")[2].rpartition(":")[2] if ":" in host.rpartition("]")[2] else ""
    return int(port) if port and not host.startswith("/") else _PORT
