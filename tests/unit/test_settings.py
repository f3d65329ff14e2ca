"""The settings: every fault is reported, with its name, at once."""

from datetime import timedelta
from pathlib import Path

import pytest

from shared.config.environment import nth_address, read_settings
from shared.config.kinds import addresses
from shared.config.libpq_environment import ignore_libpq_environment
from shared.config.mail_address import MailFolder, MailServer
from shared.config.settings import SettingsError
from shared.server.serve import Listen, ListenError
from tests.planted import planted
from tests.planted.process import keeps_a_bare_path


def _faults(**values: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        read_settings({f"OSTIARY_{name.upper()}": value for name, value in values.items()})
    return caught.value.faults


def test_the_defaults_hold_by_themselves() -> None:
    """The defaults need no settings."""
    settings = read_settings({})
    assert settings.issuer == "http://localhost:8080/oidc"
    assert settings.response_types == ("code",)
    assert settings.access_token_lifetime == timedelta(minutes=10)


@pytest.mark.parametrize(
    "issuer",
    [
        "https://id.example.org",
        "https://id.example.org/oidc/",
        "https://id.example.org/oidc?a=b",
        "https://id.example.org/oidc#a",
        "https://user@id.example.org/oidc",
        "https://ID.example.org/oidc",
        "http://id.example.org/oidc",
        "ftp://localhost/oidc",
        "localhost/oidc",
        "https:///oidc",
        "https://id.example.org:port/oidc",
        "https://id.example.org:0/oidc",
        "https://id.example.org:65536/oidc",
        "https://id.example.org/oidc?",
        "https://id.example.org/oidc#",
        "https://id.example.org?/oidc",
        "https://id example.org/oidc",
        " https://id.example.org/oidc",
        "https://id.example.org/oidc\n",
        "https://id\texample.org/oidc",
        "https://bücher.example/oidc",
        "https://id..example.org/oidc",
        "https://-id.example.org/oidc",
        "https://%69d.example.org/oidc",
        "https://@id.example.org/oidc",
        "https://id.example.org:/oidc",
        "https://id.example.org\\oidc",
        "https://[::g]/oidc",
        "https://id.example.org:443/oidc",
        "http://localhost:80/oidc",
        "https://id.example.org:0443/oidc",
        "https://[0:0:0:0:0:0:0:1]/oidc",
        "https://127.1/oidc",
        "https://0x7f.0.0.1/oidc",
        "https://1.2.3.4.5/oidc",
        "https://[fe80::1%25eth0]/oidc",
        "http://[2001:db8::1]/oidc",
    ],
)
def test_an_issuer_that_clients_could_not_compare_is_refused(issuer: str) -> None:
    """The issuer is compared byte for byte, and plain http is for this machine alone."""
    (fault,) = _faults(issuer=issuer)
    assert fault.startswith("OSTIARY_ISSUER: ")


@pytest.mark.parametrize(
    ("issuer", "words"),
    [
        ("https://id example.org/oidc", "without spaces"),
        ("https://bücher.example/oidc", "xn--bcher-kva.example"),
        ("https://id.example.org/oidc?", "must end in /oidc"),
        ("https://id.example.org/oidc#", "must end in /oidc"),
    ],
)
def test_a_fault_of_an_issuer_says_what_to_write(issuer: str, words: str) -> None:
    """The sentence is about this mistake."""
    (fault,) = _faults(issuer=issuer)
    assert words in fault


@pytest.mark.parametrize(
    "issuer",
    [
        "http://127.0.0.1:8080/oidc",
        "http://[::1]:8080/oidc",
        "http://login.localhost:8080/oidc",
        "https://a.b/oidc",
        "https://[2001:db8::1]:8443/oidc",
        "https://xn--bcher-kva.example/oidc",
    ],
)
def test_an_issuer_on_this_machine_or_over_tls_is_taken(issuer: str) -> None:
    """Loopback literals count as this machine."""
    assert read_settings({"OSTIARY_ISSUER": issuer}).issuer == issuer


@pytest.mark.parametrize(
    "url",
    [
        "https://files.example.org?",
        "https://files.example.org/#",
        "https://bücher.example",
        "https://a b",
        "https://u@h",
    ],
)
def test_an_external_url_is_an_origin_and_nothing_more(url: str) -> None:
    """External URLs are canonical, as redirect URIs are compared byte for byte."""
    (fault,) = _faults(external_urls=url)
    assert fault.startswith("OSTIARY_EXTERNAL_URLS: must be origins")


def test_all_faults_are_told_together_and_no_secret_with_them() -> None:
    """All faults are reported together."""
    faults = _faults(
        issuer="x",
        key_rotation="soon",
        no_such="1",
        secret_key="short-secret",
        log_level="loud",
        signing_algorithms="ES256",
        metrics_listen="nowhere",
        fetch_ca_file="/nowhere",
    )
    assert {fault.partition(":")[0] for fault in faults} == {
        "OSTIARY_ISSUER",
        "OSTIARY_KEY_ROTATION",
        "OSTIARY_NO_SUCH",
        "OSTIARY_SECRET_KEY",
        "OSTIARY_LOG_LEVEL",
        "OSTIARY_SIGNING_ALGORITHMS",
        "OSTIARY_METRICS_LISTEN",
        "OSTIARY_FETCH_CA_FILE",
    }
    assert "short-secret" not in "".join(faults)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("10m", 600), ("2h", 7200), ("60d", 5_184_000)]
)
def test_durations_are_seconds_or_carry_a_unit(text: str, seconds: int) -> None:
    """Durations."""
    settings = read_settings({"OSTIARY_ID_TOKEN_LIFETIME": text})
    assert settings.id_token_lifetime == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "1w", "ten", "9999999999"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    """Malformed durations are refused."""
    assert _faults(id_token_lifetime=text)


def test_rs256_cannot_be_switched_off() -> None:
    """RS256 is required (OpenID Connect Discovery 1.0 §3)."""
    assert "RS256" in _faults(signing_algorithms="ES256")[0]


def test_secrets_do_not_show_in_the_repr() -> None:
    """A settings object may be logged by accident."""
    secret = "s" * 40
    settings = read_settings(
        {"OSTIARY_SECRET_KEY": secret, "OSTIARY_DATABASE_URL": f"postgresql://u:{secret}@h/d"}
    )
    assert secret not in repr(settings)
    assert settings.secret_key[0].get_secret_value() == secret


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    """A file of settings, and a variable beside it."""
    file = tmp_path / "env"
    file.write_text("# comment\nOSTIARY_LOG_LEVEL=debug\nOSTIARY_REGISTRATION = open\n")
    settings = read_settings({"OSTIARY_ENV_FILE": str(file), "OSTIARY_LOG_LEVEL": "error"})
    assert (settings.log_level, settings.registration) == ("error", "open")


def test_a_secret_key_may_come_from_a_file(tmp_path: Path) -> None:
    """Two secret keys: the first encrypts, both decrypt."""
    file = tmp_path / "key"
    file.write_text("a" * 32 + "\n" + "b" * 32 + "\n")
    settings = read_settings({"OSTIARY_SECRET_KEY_FILE": str(file)})
    assert [key.get_secret_value()[0] for key in settings.secret_key] == ["a", "b"]


def test_an_unreadable_file_is_a_fault_of_its_setting(tmp_path: Path) -> None:
    """A wrong path or file is a fault, not a traceback."""
    none, empty = tmp_path / "none", tmp_path / "empty"
    empty.touch()
    assert _faults(env_file=str(none))[0].startswith("OSTIARY_ENV_FILE")
    assert _faults(secret_key_file=str(none))[0].startswith("OSTIARY_SECRET_KEY_FILE")
    assert _faults(fetch_ca_file=str(empty))[0].startswith("OSTIARY_FETCH_CA_FILE")


def test_a_fault_of_the_secret_is_told_with_the_others(tmp_path: Path) -> None:
    """A fault of the secret key is reported together with the others."""
    faults = _faults(secret_key_file=str(tmp_path / "none"), secret_key="s" * 32, log_level="loud")
    assert [fault.partition(":")[0] for fault in faults] == [
        "set OSTIARY_SECRET_KEY or OSTIARY_SECRET_KEY_FILE, not both",
        "OSTIARY_SECRET_KEY_FILE",
        "OSTIARY_LOG_LEVEL",
    ]


@pytest.mark.parametrize("address", ["127.0.0.1:9100", "[::1]:9100", "unix:/run/metrics"])
def test_metrics_are_shown_on_a_port_or_a_unix_path(address: str) -> None:
    """Written as for `serve --listen`."""
    assert read_settings({"OSTIARY_METRICS_LISTEN": address}).metrics_listen == address


@planted(keeps_a_bare_path)
def test_an_absolute_path_is_a_unix_path(tmp_path: Path) -> None:
    """An address without a scheme is normalized, so that it can be listened on."""
    settings = read_settings({"OSTIARY_METRICS_LISTEN": f"{tmp_path}/metrics"})
    assert settings.metrics_listen == f"unix:{tmp_path}/metrics"
    Listen(addresses.address(f"{tmp_path}/listen")).bind().close()


@pytest.mark.parametrize("address", ["unix:", ":9100", "9100", "localhost:", "localhost:65536", "metrics"])
def test_an_address_that_cannot_be_listened_on_is_refused(address: str) -> None:
    """When the settings are read, not when the process listens."""
    (fault,) = _faults(metrics_listen=address)
    assert fault == "OSTIARY_METRICS_LISTEN: must be HOST:PORT or unix:PATH"


def test_a_port_beyond_the_last_is_a_fault_in_words() -> None:
    """Worker 1 of a service whose metrics have port 65535."""
    with pytest.raises(ListenError, match=r"cannot listen on 127\.0\.0\.1:65536"):
        Listen(nth_address("127.0.0.1:65535", 1)).bind()


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("redis_url", "h:6379"),
        ("database_url", "mysql://h/d"),
        ("database_direct_url", "host=h"),
    ],
)
def test_a_store_that_is_not_understood_is_refused_at_once(name: str, url: str) -> None:
    """The fault is reported at start."""
    (fault,) = _faults(**{name: url})
    assert fault.startswith(f"OSTIARY_{name.upper()}: must begin with")


def test_libpq_variables_are_removed_from_the_environment() -> None:
    """Only libpq's variables are removed."""
    environment = {"PGPORT": "1", "PGTARGETSESSIONATTRS": "standby", "PATH": "/bin", "OSTIARY_ISSUER": "x"}
    ignore_libpq_environment(environment)
    assert set(environment) == {"PATH", "OSTIARY_ISSUER"}


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.test", MailServer(host="mail.test", port=587, tls="opportunistic")),
        ("smtp://mail.test:25?starttls=required", MailServer(host="mail.test", port=25, tls="required")),
        (
            "smtps://a%40b:c%3Ad@mail.test",
            MailServer(host="mail.test", port=465, tls="implicit", username="a@b", password="c:d"),
        ),
        ("smtp://[::1]:2525/", MailServer(host="::1", port=2525, tls="opportunistic")),
        ("file:///var/lib/a%20b", MailFolder(Path("/var/lib/a b"))),
    ],
)
def test_a_mail_server_is_read_from_its_url(url: str, server: MailServer | MailFolder) -> None:
    """With the port of its scheme by default."""
    assert read_settings({"OSTIARY_SMTP_URL": url}).mail_server == server


@pytest.mark.parametrize(
    "url",
    [
        "http://mail.test",
        "smtp://",
        "smtp://mail.test:x",
        "smtp://mail.test/path",
        "smtp://mail.test?starttls=maybe",
        "smtps://mail.test?starttls=required",
        "smtp://mail.test?other=1",
        "smtp://user:hidden@mail.test",
        "file://mail.test/folder",
        "file:folder",
        "mail.test:25",
    ],
)
def test_a_url_of_no_mail_server_is_a_fault(url: str) -> None:
    """One sentence without the password; a password is not sent without TLS."""
    (fault,) = _faults(smtp_url=url)
    assert fault.startswith("OSTIARY_SMTP_URL: ")
    assert "hidden" not in fault


@pytest.mark.parametrize("sender", ["Example", "a@b\nBcc: c@d", "<>", "a b@c d@"])
def test_a_sender_is_one_address(sender: str) -> None:
    """With or without a name."""
    assert _faults(mail_from=sender)
    assert (
        read_settings({"OSTIARY_MAIL_FROM": "Example <id@example.org>"}).sender.addr_spec == "id@example.org"
    )
    assert read_settings({"OSTIARY_ISSUER": "https://id.test/oidc"}).sender.addr_spec == "no-reply@id.test"
