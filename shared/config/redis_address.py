"""The value of `OSTIARY_REDIS_URL`: one server, a primary found through Sentinel, or a cluster."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple
from urllib.parse import parse_qsl, urlencode

Layout = Literal["server", "sentinel", "cluster"]

_SCHEMES: Mapping[str, tuple[str, Layout]] = {
    "redis": ("redis", "server"),
    "rediss": ("rediss", "server"),
    "unix": ("unix", "server"),
    "redis+sentinel": ("redis", "sentinel"),
    "rediss+sentinel": ("rediss", "sentinel"),
    "redis+cluster": ("redis", "cluster"),
    "rediss+cluster": ("rediss", "cluster"),
}
_PORTS: Mapping[Layout, int] = {"server": 6379, "sentinel": 26379, "cluster": 6379}
_FORMS: Mapping[Layout, str] = {
    "server": "redis://[user:password@]host:6379[/db]",
    "sentinel": "redis+sentinel://[user:password@]host:26379,host2:26379/service[/db]",
    "cluster": "redis+cluster://[user:password@]host:6379,host2:6379",
}
_REST = re.compile(
    r"(?:(?P<login>[^/?#]*)@)?(?P<hosts>[^@/?#]*)(?:/(?P<path>[^?#]*))?(?:\?(?P<query>[^#]*))?"
)
_HOST_PORT = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\[\]:,\s]+)(?::(?P<port>[0-9]{1,5}))?")
_PATHS: Mapping[Layout, re.Pattern[str]] = {
    "server": re.compile(r"(?P<service>)(?P<db>[0-9]*)"),
    "sentinel": re.compile(r"(?P<service>[^/\s]+)(?:/(?P<db>[0-9]*))?"),
    "cluster": re.compile(r"(?P<service>)(?P<db>0?)"),
}

_OF_SERVERS = {"db", "username", "password", "client_name"}
_OF_SENTINELS = {"sentinel_username": "username", "sentinel_password": "password"}
_OF_TLS = {
    "ssl_ca_certs",
    "ssl_ca_path",
    "ssl_certfile",
    "ssl_keyfile",
    "ssl_password",
    "ssl_cert_reqs",
    "ssl_check_hostname",
}


class HostPort(NamedTuple):
    """Host and port of a server."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisAddress:
    """The address of Redis, and how to connect to its servers."""

    layout: Layout
    url: str = field(repr=False)  # for redis-py; without a host if *hosts* are used to find the servers
    hosts: tuple[HostPort, ...] = ()  # of the Sentinels, or of nodes of the cluster
    service: str = ""
    sentinel_url: str = field(default="", repr=False)  # as *url*, for connections to a Sentinel

    @classmethod
    def parse(cls, url: str) -> "RedisAddress":
        """Parse the setting. Raises ValueError, without the URL in its message: it may hold a password."""
        scheme, _, rest = url.partition("://")
        if scheme not in _SCHEMES:
            raise ValueError(f"must begin with {'://, '.join(_SCHEMES)}://")
        plain, layout = _SCHEMES[scheme]
        match = _REST.fullmatch(rest)
        path = _PATHS[layout].fullmatch(match["path"] or "") if match and plain != "unix" else match
        if not match or not path:
            raise ValueError(f"must look like {_FORMS[layout]}")
        options = _options(match["query"] or "", plain, layout)
        if plain == "unix":
            return cls(layout=layout, url=url)
        hosts = _hosts(match["hosts"], layout)
        if layout == "server":
            return cls(layout=layout, url=url)
        login = "" if match["login"] is None else f"{match['login']}@"
        theirs = {name: value for name, value in options.items() if name not in _OF_SENTINELS}
        sentinels = {
            _OF_SENTINELS.get(name, name): value for name, value in options.items() if name not in _OF_SERVERS
        }
        return cls(
            layout=layout,
            url=f"{plain}://{login}/{path['db'] or ''}?{urlencode(theirs)}",
            hosts=hosts,
            service=path["service"],
            sentinel_url=f"{plain}://?{urlencode(sentinels)}",
        )


def _hosts(listed: str, layout: Layout) -> tuple[HostPort, ...]:
    if layout == "server" and not listed:  # localhost
        return ()
    matches = [_HOST_PORT.fullmatch(host) for host in listed.split(",")]
    hosts = [
        HostPort(match["host"].strip("[]"), int(match["port"] or _PORTS[layout]))
        for match in matches
        if match
    ]
    if len(hosts) < len(matches) or not all(0 < host.port < 65536 for host in hosts):
        raise ValueError(f"must name a host and its port, as in {_FORMS[layout]}")
    if layout == "server" and len(hosts) > 1:
        raise ValueError("must name one host; several are redis+sentinel:// or redis+cluster://")
    return tuple(hosts)


def _options(query: str, scheme: str, layout: Layout) -> dict[str, str]:
    options = dict(parse_qsl(query))
    known_options = _OF_SERVERS | (_OF_TLS if scheme == "rediss" else set())
    known_options |= set(_OF_SENTINELS) if layout == "sentinel" else set()
    if not set(options) <= known_options:  # not shown: it may be part of a password
        raise ValueError(f"has an option that is none of {', '.join(sorted(known_options))}")
    if not options.get("db", "0").isdecimal() or (layout == "cluster" and options.get("db", "0") != "0"):
        raise ValueError("must have the number of a database in db, and a cluster has 0 alone")
    if options.get("ssl_cert_reqs", "required") not in ("none", "optional", "required"):
        raise ValueError("must have none, optional or required in ssl_cert_reqs")
    return options
