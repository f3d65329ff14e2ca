"""Clients as the sample pages show them."""

from shared.browser.pages import ClientView

CLIENT = ClientView(
    "files-web",
    "Meridian Files",
    client_uri="https://files.example.org",
    policy_uri="https://files.example.org/privacy",
    tos_uri="https://files.example.org/terms",
)
LONG_CLIENT = ClientView(
    "c-4f1c",
    "Zusammenarbeitsplattform der Stadtwerke Donaueschingen-Villingen",
    "https://collaboration.stadtwerke.example/logo.svg",
    policy_uri="https://collaboration.stadtwerke.example/datenschutz",
)
NATIVE_CLIENT = ClientView("cells-sync", "Cells Sync")
DOCUMENT_CLIENT = ClientView(
    "https://notes.example.net/client.json",
    "Notes",
    client_uri="https://notes.example.net",
    document_host="notes.example.net",
)
OWN_CLIENT = ClientView("account", is_own=True)
