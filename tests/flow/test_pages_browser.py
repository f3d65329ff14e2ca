"""The pages in Chromium: accessibility, narrow screens, keyboard, and with and without script."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from email.headerregistry import Address
from pathlib import Path
from typing import Any, Literal

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, Page, expect
from pydantic import SecretStr

from services.worker.mail.message import Messages
from shared.browser.pages import FormView, LoginView, Pages
from shared.config.kinds.protocol import UI_LOCALES
from shared.config.settings import Settings
from tests.look import looking
from tests.sample_mails import html_bodies
from tests.sample_pages import LOGINS, application, responses
from tests.tools import needs

AXE = Path(__file__).parent.parent / "interop/node/node_modules/axe-core/axe.min.js"
WCAG_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RULES = [*WCAG_RULES, "best-practice"]
PAGES = Pages.load(Settings(), web.Application())
STATES = tuple(responses(PAGES, "en"))
LEAVING = {"form-post", "form-post-device", "signed-out-telling"}  # by themselves, where script runs
STAYING = tuple(name for name in STATES if name not in LEAVING)
OPEN_PAGES = 3  # at once: the processes of Chromium wait for each other less

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
Violations = list[tuple[str, str]]


@asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[str]:
    """Serve *app* on a free loopback port. Yields the port."""
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield str(runner.addresses[0][1])
    finally:
        await runner.cleanup()


@pytest.fixture
async def origin() -> AsyncIterator[str]:
    """The origin of the sample pages."""
    async with served(application(PAGES)) as port:
        yield f"http://localhost:{port}"


async def narrow(browser: Browser, *, script: bool = True) -> BrowserContext:
    """A context with the width of WCAG 2.2 (1.4.10)."""
    return await browser.new_context(viewport={"width": 320, "height": 640}, java_script_enabled=script)


async def faults_of(
    context: BrowserContext,
    folder: str,
    judge: Callable[[Page], Awaitable[Any]],
    names: Iterable[str] = STAYING,
) -> dict[str, Any]:
    """What *judge* finds in the states below the URL *folder*, by the names of those with a fault."""
    faults: dict[str, Any] = {}
    remaining = iter(names)

    async def visit(page: Page) -> None:
        for name in remaining:
            await page.goto(f"{folder}/{name}")
            if found := await judge(page):
                faults[name] = found

    async with asyncio.TaskGroup() as group:
        for _ in range(OPEN_PAGES):
            group.create_task(visit(await context.new_page()))
    return faults


async def with_axe(browser: Browser) -> BrowserContext:
    """A context whose pages load axe, and in which no colour fades into that of the other scheme."""
    context = await browser.new_context(reduced_motion="reduce")
    await context.add_init_script(path=AXE)
    return context


async def violations(page: Page, scheme: Scheme) -> Violations:
    """The rules that axe finds violated, each with the first element, in a page that has loaded axe."""
    await page.emulate_media(color_scheme=scheme)
    result = await page.evaluate("rules => axe.run({runOnly: rules, resultTypes: ['violations']})", RULES)
    assert len(result["passes"]) > 10, "axe has not looked"
    return [(violation["id"], violation["nodes"][0]["html"]) for violation in result["violations"]]


@pytest_asyncio.fixture(scope="module")
async def violations_by_scheme(_chromium: Browser) -> Mapping[Scheme, Mapping[str, Violations]]:
    """The violations of every state, which is loaded once for both schemes."""
    needs("node", AXE)
    found: dict[Scheme, dict[str, Violations]] = {scheme: {} for scheme in SCHEMES}

    async def judge(page: Page) -> None:
        for scheme in SCHEMES:
            if violated := await violations(page, scheme):
                found[scheme][page.url] = violated

    context = await with_axe(_chromium)
    async with served(application(PAGES)) as port:
        await faults_of(context, f"http://localhost:{port}/en", judge)
    await context.close()
    return found


@pytest.mark.point(26)
@pytest.mark.timeout(600)  # the first of them loads every state
@pytest.mark.parametrize("scheme", SCHEMES)
async def test_axe_finds_nothing(
    violations_by_scheme: Mapping[Scheme, Mapping[str, Violations]], scheme: Scheme
) -> None:
    """No page in any state violates an automatically testable rule of WCAG 2.2 AA or best practice."""
    assert violations_by_scheme[scheme] == {}


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_axe_finds_nothing_in_another_look(browser: Browser, tmp_path: Path, scheme: Scheme) -> None:
    """With the name, the logo, the colour and the links of an operator: contrast above all."""
    needs("node", AXE)
    names = ("login-credentials", "consent", "account", "account-tokens", "error-cookie")
    pages = Pages.load(looking(tmp_path), web.Application())
    context = await with_axe(browser)
    async with served(application(pages)) as port:
        folder = f"http://localhost:{port}/en"
        assert await faults_of(context, folder, lambda page: violations(page, scheme), names) == {}


TOO_WIDE = """() => [...document.querySelectorAll("body *")]
    .filter(e => !e.closest("svg, .unseen"))
    .filter(e => {
        const {left, right} = e.getBoundingClientRect();
        return right > innerWidth || left < 0;
    })
    .map(e => e.outerHTML.slice(0, 80))
    .concat(document.documentElement.scrollWidth > innerWidth ? ["the page scrolls"] : [])"""


@pytest.mark.point(26)
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_in_a_mail(browser: Browser, scheme: Literal["light", "dark"]) -> None:
    """Nor does a mail scroll sideways on a narrow screen."""
    needs("node", AXE)
    messages = Messages.load(Settings().issuer, Address(addr_spec="id@example.org"), UI_LOCALES)
    context = await browser.new_context(viewport={"width": 320, "height": 640}, color_scheme=scheme)
    page = await context.new_page()
    found = {}
    for locale in ("en", "ar"):
        for name, html in html_bodies(messages, locale).items():
            await page.set_content(html)
            await page.evaluate(AXE.read_text("utf-8"))
            result = await page.evaluate("rules => axe.run({runOnly: rules})", WCAG_RULES)
            assert len(result["passes"]) > 5, "axe has not looked"
            faults = [(v["id"], v["nodes"][0]["html"]) for v in result["violations"]]
            if faults or await page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                found[locale, name] = faults
    assert found == {}


@pytest.mark.point(26)
@pytest.mark.parametrize("locale", UI_LOCALES)
async def test_no_page_scrolls_sideways(browser: Browser, origin: str, locale: str) -> None:
    """At 320 pixels, nothing is cut off or needs sideways scrolling, in any language."""
    context = await narrow(browser)
    assert await faults_of(context, f"{origin}/{locale}", lambda page: page.evaluate(TOO_WIDE)) == {}


async def test_nothing_jumps_and_nothing_is_fetched_from_elsewhere(browser: Browser, origin: str) -> None:
    """Loading a page shifts no layout, violates no policy, and contacts no other host."""
    page = await browser.new_page()
    faults: list[str] = []
    page.on("console", lambda message: None if "status of" in message.text else faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "request",
        lambda request: None if request.url.startswith(origin) else faults.append(request.url),
    )
    for name in STAYING:
        await page.goto(f"{origin}/fr/{name}", wait_until="load")
        shifts = await page.evaluate("""new Promise(done => {
            let sum = 0;
            new PerformanceObserver(list => list.getEntries().forEach(e => { sum += e.value; }))
              .observe({type: "layout-shift", buffered: true});
            requestAnimationFrame(() => requestAnimationFrame(() => done(sum)));
        })""")
        assert shifts == 0, name
    assert faults == []


FOCUSED_TARGETS = """() => [...document.querySelectorAll(
        "a, button, select, summary, input:not([type=hidden])")]
    .filter(e => e.checkVisibility() && !e.closest("dd, .letter"))  // links within a text are exempt
    .map(e => {
        e.focus();
        const {outlineStyle, outlineWidth} = getComputedStyle(e);
        const outline = outlineStyle === "solid" ? parseFloat(outlineWidth) : 0;
        const {height, width} = e.getBoundingClientRect();
        return [e.id || e.className || e.href, height, outline, width];
    })"""


@pytest.mark.point(26)
async def test_targets_are_large_and_show_their_focus(browser: Browser, origin: str) -> None:
    """Targets are 44 pixels high and not narrow, and the focus is visible (WCAG 2.4.7, 2.5.5, 2.5.8)."""

    async def small(page: Page) -> list[list[Any]]:
        await page.keyboard.press("Tab")  # from now on the focus counts as moved by keyboard
        targets = await page.evaluate(FOCUSED_TARGETS)
        return [target for target in targets if target[1] < 44 or target[2] < 2 or target[3] < 24]

    assert await faults_of(await narrow(browser), f"{origin}/en", small) == {}


SPACED = """
* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; }
p { margin-bottom: 2em !important; }
"""
DOUBLED = "html { font-size: 200% !important; }"
CUT_OFF = """() => [...document.querySelectorAll("main *, footer *")]
    .filter(e => !e.closest("svg, .unseen, .tile, .launch, option")
        && !["visible", "clip"].includes(getComputedStyle(e).overflowY) && e.tagName !== "INPUT"
        && e.tagName !== "SELECT" && e.scrollHeight > e.clientHeight + 1)
    .map(e => e.outerHTML.slice(0, 80))
    .concat(document.documentElement.scrollWidth > innerWidth ? ["the page scrolls sideways"] : [])"""


@pytest.mark.parametrize(("style", "width"), [(SPACED, 320), (DOUBLED, 640)], ids=["spacing", "size"])
async def test_text_may_take_more_room(browser: Browser, origin: str, style: str, width: int) -> None:
    """With the spacing of WCAG 2.2 §1.4.12, and at double size (§1.4.4), nothing is cut off or scrolls."""
    context = await browser.new_context(viewport={"width": width, "height": 800}, bypass_csp=True)

    async def cut(page: Page) -> list[str]:
        await page.add_style_tag(content=style)
        found: list[str] = await page.evaluate(CUT_OFF)
        return found

    assert await faults_of(context, f"{origin}/de", cut) == {}


HIDDEN = """() => [...document.querySelectorAll(
        "a, button, select, summary, input:not([type=hidden]), [tabindex='0']")]
    .filter(e => e.checkVisibility())
    .filter(e => {
        e.focus();
        const {left, top, width, height} = e.getBoundingClientRect();
        const seen = document.elementFromPoint(left + width / 2, top + height / 2);
        return !seen || !(e.contains(seen) || seen.contains(e));
    }).map(e => e.outerHTML.slice(0, 80))"""
NOT_PASTED = """() => [...document.querySelectorAll("input:not([type=hidden])")]
    .filter(e => !e.dispatchEvent(new ClipboardEvent("paste", {bubbles: true, cancelable: true})))
    .map(e => e.name)"""


async def test_nothing_hides_the_focus_or_stops_pasting(browser: Browser, origin: str) -> None:
    """WCAG 2.2 §2.4.11: what has the focus is in sight. §3.3.8: every field accepts what is pasted."""

    async def faults(page: Page) -> list[str]:
        await page.keyboard.press("Tab")  # from now on the focus counts as moved by keyboard
        return [*await page.evaluate(HIDDEN), *await page.evaluate(NOT_PASTED)]

    assert await faults_of(await narrow(browser), f"{origin}/en", faults) == {}


async def focused(page: Page) -> str:
    """The focused element: its id, or its text."""
    words: str = await page.evaluate("document.activeElement.id || document.activeElement.innerText.trim()")
    return words or str(await page.evaluate("document.activeElement.getAttribute('aria-label')"))


@pytest.mark.point(26)
@pytest.mark.parametrize(
    ("name", "start", "order"),
    [
        ("login", "username", ["password", "Show password", "login-submit", "Cancel"]),
        ("login-credentials", "password", ["Show password", "login-submit", "Cancel"]),
        (
            "sign-up-taken",
            "username",
            ["password", "Show password", "name", "email", "signup-submit", "Cancel", "sign-in"],
        ),
        ("consent", None, ["consent-allow", "consent-deny"]),
        ("confirm-logout", None, ["logout-confirm"]),
        ("out-of-band", None, ["code", "Copy code"]),
    ],
)
async def test_keyboard_order(
    browser: Browser, origin: str, name: str, start: str | None, order: list[str]
) -> None:
    """The Tab key follows the reading order, from the first empty field on."""
    page = await browser.new_page()
    await page.goto(f"{origin}/en/{name}")
    if start:
        assert await focused(page) == start
    reached = []
    for _ in order:
        await page.keyboard.press("Tab")
        reached.append(await focused(page))
    assert reached == order


@pytest.mark.point(26)
@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
async def test_forms_work_with_and_without_script(browser: Browser, origin: str, script: bool) -> None:
    """Login by Enter, consent by button, and form_post send their fields."""
    page = await (await narrow(browser, script=script)).new_page()
    await page.goto(f"{origin}/en/login")
    await page.fill("[name=username]", "bob")
    await page.fill("[name=password]", "p ä&\"'")
    assert await page.locator("[data-reveal]").is_visible() is script
    await page.press("[name=password]", "Enter")
    await expect(page.locator("body")).to_contain_text('"username": "bob"')
    await expect(page.locator("body")).to_contain_text('"interaction": "gZ1w"')
    for decision in ("allow", "deny"):
        await page.goto(f"{origin}/en/consent")
        await page.click(f"#consent-{decision}")
        await expect(page.locator("body")).to_contain_text(f'"decision": "{decision}"')
    await page.goto(f"{origin}/en/out-of-band")
    assert await page.locator("[data-copy]").is_visible() is script


@pytest.mark.point(5)
@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
async def test_form_post_submits_itself_or_by_its_button(browser: Browser, script: bool) -> None:
    """The client gets the parameters byte for byte, as a form, from a page that names no referrer."""
    received: list[dict[str, str]] = []

    async def callback(request: web.Request) -> web.Response:
        received.append({name: str(value) for name, value in (await request.post()).items()})
        received.append(dict(request.query))
        return web.Response(text="arrived")

    sent = {"code": "ac_1", "state": "\"><script>ä€'&amp; ", "iss": "http://localhost/oidc"}
    client = web.Application()
    client.router.add_post("/callback", callback)
    async with served(client) as port:

        async def page_of(_: web.Request) -> web.Response:
            return PAGES.form_post(f"http://127.0.0.1:{port}/callback?a=b&c", sent, "en")

        provider = application(PAGES)
        provider.router.add_get("/answer", page_of)
        async with served(provider) as provider_port:
            context = await browser.new_context(java_script_enabled=script)
            page = await context.new_page()
            await page.goto(f"http://localhost:{provider_port}/answer")
            if not script:
                await page.click("#form-post-submit")
            await expect(page.locator("body")).to_have_text("arrived")
    assert received == [sent, {"a": "b", "c": ""}]


async def test_script_shows_the_password_and_sends_once(browser: Browser, origin: str) -> None:
    """The button shows and hides the password, and a form is sent only once."""
    page = await browser.new_page()
    await page.goto(f"{origin}/en/login")
    await page.fill("#password", "secret")
    button = page.get_by_role("button", name="Show password")
    await button.click()
    await expect(page.locator("#password")).to_have_attribute("type", "text")
    await expect(button).to_have_attribute("aria-pressed", "true")
    await button.click()
    await expect(page.locator("#password")).to_have_attribute("type", "password")
    sent = await page.evaluate("""() => {
        const form = document.forms[0];
        let sent = 0;
        addEventListener("submit", (e) => { sent += !e.defaultPrevented; e.preventDefault(); });
        document.getElementById("username").value = "bob";
        form.requestSubmit();
        form.requestSubmit();
        return sent;
    }""")
    assert sent == 1


async def test_script_copies_the_code(browser: Browser, origin: str) -> None:
    """The clipboard holds the code, and the button says so."""
    context = await browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = await context.new_page()
    await page.goto(f"{origin}/en/out-of-band")
    await page.click("[data-copy]")
    await expect(page.get_by_role("status")).to_have_text("Copied")
    assert await page.evaluate("navigator.clipboard.readText()") == await page.inner_text("#code")


@pytest.mark.point(19)
async def test_a_broken_logo_gives_way_to_the_monogram(browser: Browser) -> None:
    """If a logo cannot be loaded, the monogram is shown."""
    client = LOGINS["login"].form.client
    assert client is not None
    pages = Pages.load(Settings(secret_key=(SecretStr("s" * 32),)), web.Application())
    app = application(pages)

    async def login(_: web.Request) -> web.Response:
        zebra = type(client)("c", "Zebra", "https://logo.invalid/x.png")
        return pages.login(LoginView(FormView(zebra, "/oidc/login")), "en")

    app.router.add_get("/broken", login)
    async with served(app) as port:
        page = await (await narrow(browser)).new_page()
        await page.goto(f"http://localhost:{port}/broken")
        await expect(page.locator(".tile")).to_have_text("Z")
        await expect(page.locator(".tile img")).to_have_count(0)


async def test_a_login_in_a_popup_ends_at_the_client_and_nowhere_else(browser: Browser) -> None:
    """Chromium follows the redirect to the client, keeps the opener, and blocks other targets."""

    async def opener(request: web.Request) -> web.Response:
        return web.Response(
            text=f"<a target=popup rel=opener href='{request.query['uri']}'>open</a>",
            content_type="text/html",
        )

    async def callback(_: web.Request) -> web.Response:
        script = "<script>document.write(opener ? 'opener kept' : 'no opener')</script>"
        return web.Response(text=script, content_type="text/html")

    client = web.Application()
    client.router.add_get("/", opener)
    client.router.add_get("/callback", callback)
    async with served(client) as port, served(client_elsewhere()) as other_port:
        redirect_uri = f"http://127.0.0.1:{port}/callback"
        ends = {"/allowed": redirect_uri, "/other": f"http://127.0.0.1:{other_port}/"}

        async def login(request: web.Request) -> web.Response:
            return PAGES.login(LoginView(FormView(None, request.path, form_action=(redirect_uri,))), "en")

        async def answer(request: web.Request) -> web.Response:
            raise web.HTTPSeeOther(ends[request.path])

        provider = application(PAGES)
        for path in ends:
            provider.router.add_get(path, login)
            provider.router.add_post(path, answer)
        async with served(provider) as provider_port:
            for path, is_allowed in (("/allowed", True), ("/other", False)):
                page = await browser.new_page()
                await page.goto(f"http://127.0.0.1:{port}/?uri=http://localhost:{provider_port}{path}")
                async with page.context.expect_page() as opened:
                    await page.click("a")
                popup = await opened.value
                await popup.fill("#username", "bob")
                await popup.fill("#password", "secret")
                if is_allowed:
                    await popup.click("#login-submit")
                    await expect(popup.locator("body")).to_have_text("opener kept")
                else:
                    async with popup.expect_event(
                        "console", lambda message: "Content Security Policy" in message.text
                    ):
                        await popup.click("#login-submit")


def client_elsewhere() -> web.Application:
    """A host that no form may end at."""
    app = web.Application()

    async def reached(_: web.Request) -> web.Response:
        raise AssertionError("a form has led elsewhere")

    app.router.add_get("/", reached)
    return app
