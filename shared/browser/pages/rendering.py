"""Renders templates: a view in, a complete response out."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol
from urllib.parse import urlsplit

from aiohttp import web
from jinja2 import Environment

from shared.browser.language_lookup import choose
from shared.browser.pages.assets import Assets
from shared.browser.pages.catalogue import Catalogue
from shared.browser.pages.logos import LogoLinks
from shared.browser.pages.look import Look
from shared.browser.pages.security import content_security_policy, headers
from shared.browser.pages.templates import templates
from shared.browser.pages.views.client import Destination
from shared.browser.pages.views.form import FormView
from shared.config.settings import Settings


class ViewWithForm(Protocol):
    """The content of a page with a form that may lead to a client."""

    @property
    def form(self) -> FormView: ...


@dataclass(frozen=True, slots=True)
class Renderer:
    """What pages are made of, from the start on: templates are compiled, texts and static files are read."""

    issuer: str
    look: Look
    assets: Assets
    logos: LogoLinks
    catalogues: Mapping[str, Catalogue]  # by locale, in order of preference
    templates: Environment

    @classmethod
    def load(cls, settings: Settings, app: web.Application) -> "Renderer":
        """Read and compile everything. A broken template or text prevents the start."""
        catalogues: dict[str, Catalogue] = {locale: Catalogue.load(locale) for locale in settings.ui_locales}
        look = Look.of(settings)
        logos = LogoLinks(settings.secret_keys)
        assets = Assets.load(look)
        return cls(settings.issuer, look, assets, logos, MappingProxyType(catalogues), templates(app))

    def locale(self, ui_locales: str | None, accept_language: str | None) -> str:
        """The language of the response: the parameter's, else the browser's, else the first one offered."""
        return choose(tuple(self.catalogues), ui_locales, accept_language)

    def form_page(
        self, template: str, locale: str, view: ViewWithForm, status: int = 200, **values: object
    ) -> web.Response:
        """The page of *template*, whose form leads to a client if the view says so."""
        form = view.form
        policy = content_security_policy(forms=form.form_action)
        return self.page(
            template,
            locale,
            headers(policy, locale, leads_on=bool(form.form_action)),
            status,
            view=view,
            destination=Destination.of(form.form_action),
            **values,
        )

    def page(
        self, template: str, locale: str, fields: Mapping[str, str], status: int = 200, **values: object
    ) -> web.Response:
        """The page of *template* with these header fields and *values*."""
        text = self.templates.get_template(template).render(
            t=self.catalogues[locale],
            look=self.look,
            assets=self.assets,
            logo=self.logos.path,
            issuer_host=urlsplit(self.issuer).netloc,
            **values,
        )
        return web.Response(text=text, status=status, content_type="text/html", headers=fields)


def retry_after(response: web.Response, seconds: int | None) -> web.Response:
    if seconds is not None:
        response.headers["Retry-After"] = str(seconds)
    return response
