"""The pages of `ostiary run` in their states, with invented content."""

from aiohttp import web

from deploy.applications.library import presets
from shared.browser.pages import ApplicationView, Pages, PresetView, SentMailView, StartView
from shared.browser.pages.ago import Ago
from shared.live import clock
from tests.sample_clients import CLIENT

ISSUER = "http://localhost:8080/oidc"
COMMAND = ".venv/bin/ostiary client add"
START = StartView(
    ISSUER,
    "demo",
    "demo",
    ".ostiary/demo.json",
    "/oidc/oauth2/auth?client_id=demo",
    (ApplicationView(CLIENT, "https://files.example.org/start?iss=http://localhost:8080/oidc"),),
    tuple(
        PresetView(preset.title, f"{COMMAND} --for {preset.name} --url https://x", preset.documentation[0])
        for preset in presets().values()
    ),
    "/oidc/mails",
)
SENT_MAILS = (
    SentMailView(
        "Your password has been changed",
        "amelie@example.org",
        Ago.of(clock.now(), clock.now()),
        (
            "Your password has been changed",
            "",
            "The password of amelie.laurent at localhost:8080 has just been changed.",
            "",
            "Open your account:",
            "http://localhost:8080/oidc/account",
            "",
            "-- ",
            "This email is from localhost:8080.",
        ),
    ),
    SentMailView(
        "A" * 200, "a" * 64 + "@files.example.org", Ago.of(clock.now(), clock.now()), ("One line.",)
    ),
)


def local_responses(pages: Pages, locale: str) -> dict[str, web.Response]:
    """Every one of these pages by the name of its state."""
    return {
        "start": pages.start(START, locale),
        "start-user": pages.start(StartView(ISSUER, "demo"), locale),
        "start-bare": pages.start(StartView("https://id.example.org/oidc"), locale),
        "sent-mails": pages.sent_mails(SENT_MAILS, locale),
        "sent-mails-none": pages.sent_mails((), locale),
    }
