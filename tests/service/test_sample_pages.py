"""The samples show all that there is to show: the list of pages and states is made of the templates."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from email.headerregistry import Address

import pytest
from aiohttp import web
from jinja2 import DictLoader, Environment
from pydantic import SecretStr

from services.worker.mail.message import Messages
from shared.browser.pages import Pages
from shared.config.kinds.protocol import UI_LOCALES
from shared.config.settings import Settings
from tests.look import looking
from tests.sample_mails import html_bodies
from tests.sample_pages import responses
from tests.watched_templates import Branches


@dataclass(slots=True)
class NotedTexts(Mapping[str, str]):
    """The texts of a language, and the keys of those that were shown."""

    texts: Mapping[str, str]
    shown: set[str] = field(default_factory=set)

    def __getitem__(self, key: str) -> str:
        self.shown.add(key)
        return self.texts[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts)

    def __len__(self) -> int:
        return len(self.texts)

    def __contains__(self, key: object) -> bool:
        return key in self.texts


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Branches, NotedTexts]:
    """What all samples show, of pages in the usual look and in an operator's, and of mails."""
    branches, looks = Branches(), (Settings(), looking(tmp_path_factory.mktemp("look")))
    keyed = (look.model_copy(update={"secret_key": (SecretStr("s" * 32),)}) for look in looks)
    texts = NotedTexts(Pages.load(Settings(), web.Application()).renderer.catalogues["en"].texts)
    for settings in keyed:
        renderer = Pages.load(settings, web.Application()).renderer
        catalogues = {**renderer.catalogues, "en": replace(renderer.catalogues["en"], texts=texts)}
        watched = replace(renderer, templates=branches.watch(renderer.templates), catalogues=catalogues)
        responses(Pages(watched), "en")
    messages = Messages.load(Settings().issuer, Address(addr_spec="id@example.org"), UI_LOCALES)
    catalogues = {**messages.catalogues, "en": replace(messages.catalogues["en"], texts=texts)}
    html_bodies(replace(messages, templates=branches.watch(messages.templates), catalogues=catalogues), "en")
    return branches, texts


def test_every_branch_of_every_template_is_in_a_sample(shown: tuple[Branches, NotedTexts]) -> None:
    """A page without a sample, or a state of one, is looked at by no test."""
    branches, _ = shown
    assert branches.known, "nothing was watched"
    assert sorted(branches.known - branches.taken) == []


def test_every_text_is_in_a_sample(shown: tuple[Branches, NotedTexts]) -> None:
    """Every fault, scope, event and mail: of the forms for numbers, one is enough."""
    _, texts = shown
    numbers = {key.removesuffix(".one") for key in texts if key.endswith(".one")}
    counted = {key.rpartition(".")[0] for key in texts.shown} & numbers
    missing = {key for key in texts if key not in texts.shown and key.rpartition(".")[0] not in counted}
    assert sorted(missing) == []


def test_what_no_sample_shows_is_named() -> None:
    """Each way of a condition, and the first and the last of two on one line."""
    text = "{% if a %}1{% elif b %}2{% else %}3{% endif %}{{ 4 if a else 5 }}\n"
    text += "{% for c in d %}{% else %}6{% endfor %}"
    branches = Branches()
    template = branches.watch(Environment(loader=DictLoader({"t": text}))).get_template("t")
    assert template.render(a=False, b=True, d="x") == "25\n"
    missing = {("t", 1, "if"), ("t", 1, "else"), ("t", 1, "if 3"), ("t", 2, "empty")}
    assert branches.known - branches.taken == missing
