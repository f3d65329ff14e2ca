"""The forms of `OSTIARY_REDIS_URL`."""

import re

import pytest

from shared.config.redis_address import RedisAddress


@pytest.mark.parametrize(
    "url",
    [
        "redis://127.0.0.1:6379/0",
        "redis://redis.example.org",
        "rediss://user:p%40ss@[2001:db8::1]:6380/3?ssl_ca_certs=/etc/ca.pem&ssl_check_hostname=no",
        "redis://:p@ss@h/1",
        "redis:///2",
        "unix:///run/redis/redis.sock",
        "unix://user:password@/run/redis.sock?db=2",
    ],
)
def test_the_url_of_a_server_is_taken_as_it_is(url: str) -> None:
    """A single server is read as redis-py reads it."""
    address = RedisAddress.parse(url)
    assert (address.layout, address.url) == ("server", url)


def test_sentinels_and_the_servers_that_they_know() -> None:
    """Sentinels, with credentials that differ from those of the servers."""
    address = RedisAddress.parse("redis+sentinel://user:p%40ss@one:1,two,[::1]:3/main/5")
    assert (address.layout, address.service) == ("sentinel", "main")
    assert address.hosts == (("one", 1), ("two", 26379), ("::1", 3))
    assert address.url == "redis://user:p%40ss@/5?"
    assert address.sentinel_url == "redis://?"


def test_options_go_to_whom_they_concern() -> None:
    """TLS applies to Sentinels and servers."""
    address = RedisAddress.parse(
        "rediss+sentinel://h/s?ssl_ca_certs=/ca&client_name=o&sentinel_username=u&sentinel_password=p%26q"
    )
    assert address.url == "rediss:///?ssl_ca_certs=%2Fca&client_name=o"
    assert address.sentinel_url == "rediss://?ssl_ca_certs=%2Fca&username=u&password=p%26q"


@pytest.mark.parametrize("end", ["", "/", "/0", "?db=0"])
def test_a_cluster_and_where_to_begin(end: str) -> None:
    """Nodes of a cluster, which has only one database."""
    address = RedisAddress.parse(f"rediss+cluster://u:p@one:7000,two{end}")
    assert (address.layout, address.hosts) == ("cluster", (("one", 7000), ("two", 6379)))
    assert address.url.startswith("rediss://u:p@/")


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("h:6379", "must begin with redis://, rediss://, unix://, redis+sentinel://, "),
        ("unix+cluster:///run/redis.sock", "must begin with"),
        ("redis+sentinel://h:26379", "must look like redis+sentinel://"),
        ("redis+sentinel://h:26379/", "must look like"),
        ("redis+sentinel://h:26379/s/one", "must look like"),
        ("redis+sentinel:///s", "must name a host and its port"),
        ("redis+sentinel://h,,g/s", "must name a host and its port"),
        ("redis+sentinel://h:0/s", "must name a host and its port"),
        ("redis+sentinel://h:99999/s", "must name a host and its port"),
        ("redis+cluster://h:port", "must name a host and its port"),
        ("redis+cluster://::1", "must name a host and its port"),
        ("redis+cluster://h/1", "must look like redis+cluster://"),
        ("redis+cluster://h?db=1", "must have the number of a database in db"),
        ("redis://one,two", "must name one host"),
        ("redis://h:port", "must name a host and its port"),
        ("redis://h/one", "must look like redis://"),
        ("redis://h?db=one", "must have the number of a database in db"),
        ("redis://h?sentinel_password=p", "has an option that is none of"),
        ("redis://h?ssl_ca_certs=/ca", "has an option that is none of"),
        ("redis://h#f", "must look like redis://"),
        ("rediss://h?ssl_cert_reqs=maybe", "must have none, optional or required"),
    ],
)
def test_what_is_not_understood_is_told_in_one_sentence(url: str, fault: str) -> None:
    """The fault of a bad URL has an example."""
    with pytest.raises(ValueError, match=f"^{re.escape(fault)}"):
        RedisAddress.parse(url)


def _told(url: str) -> str:
    try:
        return repr(RedisAddress.parse(url))
    except ValueError as fault:
        return str(fault)


@pytest.mark.parametrize("layout", ["redis", "redis+sentinel", "redis+cluster"])
@pytest.mark.parametrize("end", ["", "/s/x", "?secret=secret", "/s?secret#secret", ":secret"])
def test_no_password_is_told(layout: str, end: str) -> None:
    """The password is neither in faults nor in the representation."""
    assert "secret" not in _told(f"{layout}://user:secret@h{end}")
