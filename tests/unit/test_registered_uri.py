"""URIs that a client may register."""

import pytest

from shared.oauth.client.registered_uri import (
    RESPONSE_PARAMETERS,
    https_or_loopback_fault,
    is_loopback,
    is_private_use,
    origin_of,
    redirect_uri_fault,
    uri_fault,
    web_uri_fault,
)
from tests.planted import planted
from tests.planted.oauth import http_is_for_any_host, programs_may_be_started

GOOD = [
    ("web", "https://rp.test/cb"),
    ("web", "https://rp.test:8443/cb?tenant=1&x=%41a"),
    ("web", "https://rp.test"),
    ("web", "https://RP-1.Test/CB;v=1/a_b~c!$&'()+,=%4a%4A"),
    ("web", "https://rp.test/cb..d/.e"),
    ("web", "https://[2001:db8::1]/cb"),
    ("web", "http://localhost:3000/servers/callback"),
    ("web", "http://127.0.0.1/cb"),
    ("web", "http://[::1]:8000/cb"),
    ("web", "https://rp.test/" + "a" * (2000 - len("https://rp.test/"))),
    ("native", "cellsauth://callback"),
    ("native", "com.example.app:/oauth2redirect"),
]


@pytest.mark.parametrize(("application_type", "uri"), GOOD)
def test_what_clients_use_may_be_registered(application_type: str, uri: str) -> None:
    """RFC 8252 §7, and the redirect URIs of Cells' clients."""
    assert redirect_uri_fault(uri, application_type) is None


NOT_A_URI = {
    "is longer than 2000 characters": ["https://rp.test/" + "a" * (2001 - len("https://rp.test/"))],
    "has a wildcard: there are none": ["https://*.rp.test/cb", "https://rp.test/*"],
    "has characters that a URI does not have (RFC 3986)": [
        "",
        "https://rp.test\\@evil.test/cb",
        "https://rp.test/c b",
        "https://rp.test/cb\n",
        "https://rp.test/%zz",
        "https://rр1.test/cb",
        "https://rp1。test/cb",
        "https://-/cb\u00ad",
        "cells auth://callback",
    ],
    "is not a URI": ["https://rp.test:99999/cb", "https://rp.test:port/cb", "https://[::1/cb"],
    "is not absolute, or its scheme is not in lower case": [
        "/cb",
        "cb",
        "//evil.test/cb",
        "HTTPS://rp.test/cb",
        "Com.example.app:/cb",
        "1app://callback",
    ],
    "has a fragment": ["https://rp.test/cb#", "https://rp.test/cb#fragment"],
    "has user information": ["https://user@rp.test/cb", "https://a:b@rp.test/cb"],
    "has brackets around what is no IPv6 address": ["https://[v1.fe]/cb", "https://[fe80::1%25eth0]/cb"],
    "hides a space, a backslash or a control character": [
        "https://rp.test/%5cevil",
        "https://rp.test/cb%00",
        "https://rp.test/cb%0d%0aX:1",
        "https://rp.test/cb%7f",
        "https://rp.test/cb?a=%20",
        "https://rp.test%09/cb",
        "javascript://rp.test/%0aalert(1)",
    ],
    "has dot segments": [
        "https://rp.test/a/../cb",
        "https://rp.test/./cb",
        "https://rp.test/..;/cb",
        "https://rp.test/..;a;b/cb",
        "https://rp.test/%2e%2E/cb",
    ],
}
NO_TARGET = {
    "has no host": ["https:evil.test/cb", "https:/evil.test/cb", "https:///evil.test/cb", "https://"],
    "has no port after the colon": ["https://rp.test:0/cb", "https://rp.test:/cb"],
    "must be https: http is for loopback hosts only": [
        "http://rp.example/cb",
        "http://localhost.evil.example/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://0.0.0.0/cb",
    ],
}
PRIVATE = [
    *(
        "http://10.0.0.1/cb",
        "http://172.31.255.254/cb",
        "http://192.168.1.20:3000/cb",
        "http://100.64.0.1/cb",
    ),
    *("http://[fd00::1]/cb", "http://[fe80::1]/cb", "http://169.254.7.7/cb"),
    *("http://nas/cb", "http://app.test/cb", "http://app.lan:8080/cb", "http://printer.local/cb"),
    *("http://app.internal/cb", "http://router.home.arpa/cb"),
]
PUBLIC = [
    *("http://app.example.org/cb", "http://172.32.0.1/cb", "http://8.8.8.8/cb", "http://[2001:db8::1]/cb"),
    *("http://home.arpa.example/cb", "http://app.test.example.org/cb", "http://internal.example/cb"),
    *("http://0/cb", "http://134744072/cb", "http://0x8080808/cb", "http://10.1/cb", "http://0.0.0.0/cb"),
    "http://[::ffff:8.8.8.8]/cb",
]
BAD = [(fault, uri) for fault, uris in (NOT_A_URI | NO_TARGET).items() for uri in uris]


@pytest.mark.parametrize("application_type", ["web", "native"])
@pytest.mark.parametrize(("fault", "uri"), BAD)
def test_what_must_never_be_a_target_is_refused(fault: str, uri: str, application_type: str) -> None:
    """RFC 6749 §3.1.2, RFC 9700 §4.1: whatever the type of the application, and with the reason."""
    assert redirect_uri_fault(uri, application_type) == fault


@planted(http_is_for_any_host)
@pytest.mark.parametrize("application_type", ["web", "native"])
def test_http_on_a_private_network_is_an_operators_choice(application_type: str) -> None:
    """RFC 9700 §4.1.3: refused with the alternative, unless it is allowed; the public network never is."""
    for uri in PRIVATE:
        refused = redirect_uri_fault(uri, application_type)
        assert "allow_insecure_redirects" in (refused or ""), uri
        assert redirect_uri_fault(uri, application_type, is_insecure_allowed=True) is None, uri
    for uri in PUBLIC:
        for is_allowed in (False, True):
            fault = redirect_uri_fault(uri, application_type, is_insecure_allowed=is_allowed)
            assert "http is for loopback hosts only" in (fault or ""), uri
    reserved = redirect_uri_fault("http://nas/cb?code=1", application_type, is_insecure_allowed=True)
    assert "parameter code" in (reserved or "")


@pytest.mark.parametrize(("fault", "uri"), [(fault, uri) for fault in NOT_A_URI for uri in NOT_A_URI[fault]])
def test_what_is_no_uri_is_none_anywhere(fault: str, uri: str) -> None:
    """The rules for pages and for addresses of a client's server."""
    assert [uri_fault(uri), web_uri_fault(uri), https_or_loopback_fault(uri)] == [fault] * 3


# fmt: off
PROGRAMS = [
    "ms-msdt", "search-ms", "jnlp", "microsoft-edge", "ms-word", "ms-officecmd", "ms-appinstaller",
    "hcp", "steam", "vscode", "cursor", "teamviewer10", "help", "x-man-page", "itms-services", "apt",
    "com.epicgames.launcher", "onenote", "zoommtg", "firefoxurl", "ms-settings", "ms-x.y",
]
SCHEMES = [
    "about", "blob", "chrome", "chrome-extension", "content", "data", "feed", "file", "filesystem", "ftp",
    "ftps", "git", "gopher", "intent", "jar", "javascript", "ldap", "ldaps", "livescript", "mailto", "mhtml",
    "mocha", "news", "nfs", "nntp", "resource", "rtsp", "sftp", "shell", "sip", "sips", "smb", "sms", "ssh",
    "tel", "telnet", "tftp", "urn", "vbscript", "view-source", "ws", "wss",
]
# fmt: on


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_scheme_that_others_act_on_is_no_redirect(scheme: str) -> None:
    """Schemes of browsers, mail programs and file managers are refused, also for native clients."""
    for uri in (f"{scheme}:x", f"{scheme}://rp.test/cb", f"{scheme}:"):
        assert redirect_uri_fault(uri, "native") == f"has the scheme {scheme}, which is not for redirects"


@planted(programs_may_be_started)
@pytest.mark.parametrize("scheme", PROGRAMS)
def test_a_scheme_that_starts_a_program_is_no_redirect(scheme: str) -> None:
    """Schemes that start programs with arguments are refused for everyone."""
    for uri in (f"{scheme}:/id?x=1", f"{scheme}://rp.test/cb"):
        assert redirect_uri_fault(uri, "native") == f"has the scheme {scheme}, which is not for redirects"


def test_a_private_use_scheme_belongs_to_a_native_client() -> None:
    """RFC 8252 §7.1: a private-use scheme needs a native client, and something after the scheme."""
    fault = "has a private-use scheme: that needs application_type native"
    assert redirect_uri_fault("cellsauth://callback", "web") == fault
    assert redirect_uri_fault("cellsauth:", "native") == "has nothing after its scheme"
    assert redirect_uri_fault("cellsauth:/?code=x", "native") is not None


@pytest.mark.parametrize(
    "name",
    [
        *("access_token", "code", "error", "error_description", "error_uri", "expires_in", "id_token"),
        *("iss", "response", "session_state", "state", "token_type"),
    ],
)
@pytest.mark.parametrize("query", ["{}=x", "z=1&{}=x", "{}", "{}=", "%{:02x}{}=x"])
def test_a_redirect_uri_cannot_bring_a_response_parameter(name: str, query: str) -> None:
    """A URI with response parameters in its query is refused, in any spelling."""
    encoded = query.format(ord(name[0]), name[1:]) if query.startswith("%") else query.format(name)
    fault = f"has the parameter {name}, which responses use"
    assert redirect_uri_fault(f"https://rp.test/cb?{encoded}", "web") == fault
    assert name in RESPONSE_PARAMETERS


@pytest.mark.parametrize(
    ("uri", "fault"),
    [
        ("https://rp.test/logo.png", None),
        ("http://rp.test/logo", "must be https"),
        ("http://localhost/x", "must be https"),
        ("javascript:x", "must be https"),
        ("x://y", "must be https"),
        ("https:///logo", "has no host"),
    ],
)
def test_pages_of_a_client_are_https(uri: str, fault: str | None) -> None:
    """Links and logos must be https."""
    assert web_uri_fault(uri) == fault


@pytest.mark.parametrize(
    ("uri", "fault"),
    [
        ("https://rp.test/logout", None),
        ("http://localhost:9000/logout", None),
        ("http://[::1]/logout", None),
        ("http://rp.test/logout", "must be https"),
        ("cellsauth://logout", "must be https"),
        ("https:///logout", "has no host"),
        ("http://localhost:0/logout", "has no port after the colon"),
    ],
)
def test_servers_of_a_client_are_https_or_on_this_machine(uri: str, fault: str | None) -> None:
    """URIs for logout notices."""
    assert https_or_loopback_fault(uri) == fault


@pytest.mark.parametrize(
    ("uri", "private_use", "loopback"),
    [
        ("https://rp.test/cb", False, False),
        ("https://localhost/cb", False, False),
        ("http://rp.test/cb", False, False),
        ("http://localhost/cb", False, True),
        ("http://127.0.0.1:80/cb", False, True),
        ("http://[::1]/cb", False, True),
        ("cellsauth://localhost", True, False),
    ],
)
def test_where_a_redirect_ends(uri: str, private_use: bool, loopback: bool) -> None:
    """RFC 8252 §7: URIs of apps, of loopback hosts and of web servers."""
    assert (is_private_use(uri), is_loopback(uri)) == (private_use, loopback)


@pytest.mark.parametrize(
    ("uri", "origin"),
    [
        ("https://RP.test/x", "https://rp.test"),
        ("https://rp.test:443/", "https://rp.test"),
        ("https://rp.test:80/", "https://rp.test:80"),
        ("http://rp.test:80", "http://rp.test"),
        ("http://rp.test:443", "http://rp.test:443"),
        ("http://[::1]:9000/x", "http://[::1]:9000"),
        ("com.example:/x", None),
        ("com.example://rp.test/x", None),
        ("https:///x", None),
        ("https://rp.test:x/", None),
        ("", None),
    ],
)
def test_an_origin_is_written_as_browsers_write_it(uri: str, origin: str | None) -> None:
    """RFC 6454 §6.2: without the usual port, in lower case."""
    assert origin_of(uri) == origin
