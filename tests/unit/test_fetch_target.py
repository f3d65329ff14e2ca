"""Targets of fetches: internal addresses are refused in every spelling."""

from ipaddress import ip_address

import pytest

from shared.oauth.fetch_target import is_public, target, target_fault

INSIDE = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.8.9.10",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:0:0",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:db8::1",
    "2001:20::1",
    "2002:7f00:1::",
    "2002:c0a8:101::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "4000::1",
]
OUTSIDE = ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]

REFUSED = [
    *(f"https://[{host}]/jwks" if ":" in host else f"https://{host}/jwks" for host in INSIDE),
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://127.1/",
    "https://127.0.0.1./",
    "https://rp.example.org./",
    "https://rp.example.0x1/",
    "https://1.2.3.04/",
    "https://①.example/",
    "https://rp_example..org/",
    "https://-rp.example/",
    "https:///path",
    "https:/rp.example/",
    "https:rp.example",
    "https://user@rp.example/",
    "https://user:password@rp.example/",
    "https://rp.example\\@evil.example/",
    "https://rp.example%2f@evil/",
    "https://rp.example%00/",
    "https://rp.example%0d%0ahost:evil/",
    "https://rp.example/%0d%0aX-Header:1",
    "https://rp.example/\r\n",
    "https://rp.example/a b",
    "https://rp.example/#fragment",
    "https://rp.example:/",
    "https://rp.example:0/",
    "https://rp.example:99999/",
    "https://rp.example:-1/",
    "https://rp.example:22/",
    "https://rp.example:25/",
    "https://rp.example:80/",
    "https://rp.example:5432/",
    "https://rp.example:6379/",
    "https://rp.example:11211/",
    "http://rp.example/",
    "http://rp.example:443/",
    "HTTPS://rp.example/",
    "file:///etc/passwd",
    "gopher://rp.example/",
    "redis://rp.example:6379/",
    "unix:/run/postgresql",
    "ftp://rp.example/",
    "data:application/json,{}",
    "javascript:alert(1)",
    "//rp.example/",
    "/jwks",
    "",
    "https://" + "a" * 64 + ".example/",
    "https://" + "a." * 130 + "example/",
    "https://rp.example/" + "a" * 2000,
]


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_of_the_inside_is_not_public(address: str) -> None:
    """Private, shared, link-local, documentation and multicast addresses, and translations of them."""
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", OUTSIDE)
def test_an_address_of_the_outside_is_public(address: str) -> None:
    """IPv4, IPv6, and translated IPv4."""
    assert is_public(ip_address(address))


@pytest.mark.parametrize("uri", REFUSED)
def test_a_uri_that_is_none_to_ask_is_refused(uri: str) -> None:
    """Other schemes and ports, disguised hosts, line breaks and user information are refused."""
    assert target_fault(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "https://rp.example/jwks.json",
        "https://rp.example:443/jwks.json?x=1&y=%20".replace("%20", "%7E"),
        "https://rp.example:8443/",
        "https://RP.example",
        "https://xn--bcher-kva.example/",
        *(f"https://[{host}]/" if ":" in host else f"https://{host}/" for host in OUTSIDE),
    ],
)
def test_a_public_https_uri_may_be_asked(uri: str) -> None:
    """A public https URI is accepted; its address is checked after resolution."""
    assert target_fault(uri) is None


@pytest.mark.parametrize(
    "uri",
    ["http://localhost:9443/x", "https://localhost:9443/x", "http://[::1]:8080/", "https://10.0.0.7/jwks"],
)
def test_the_operator_may_allow_a_private_place(uri: str) -> None:
    """The operator can allow a private host and port, also over http."""
    allow = ("localhost:9443", "[::1]:8080", "10.0.0.7:443")
    assert target(uri, allow).is_allowed
    assert target_fault(uri) is not None or uri.startswith("https://localhost")


@pytest.mark.parametrize(
    "uri",
    [
        "http://localhost:9444/",
        "https://10.0.0.8/",
        "http://localhost.evil.example:9443/",
        "file://localhost:9443/",
    ],
)
def test_what_is_allowed_is_that_host_and_port_alone(uri: str) -> None:
    """Other ports and hosts stay forbidden."""
    assert target_fault(uri, ("localhost:9443", "10.0.0.7:443"))
