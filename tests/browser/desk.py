"""An operator before a browser: what he presses, and what may never happen while he does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Locator, Page, Request, expect

PATIENCE_MS = 60_000
"""How long a condition is waited for: a busy host takes its time."""
expect.set_options(timeout=PATIENCE_MS)
MAX_TABS = 60
_OUTLINE = "one => getComputedStyle(one).outlineStyle"
_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""


class Desk:
    """One browser window with its own cookies. `problems`: what no walk may end with; `hosts`:
    which it may ask."""

    def __init__(self, browser: Browser, base: str, **options: object) -> None:
        self.base = base
        self.hosts = {"", urlsplit(base).netloc}
        self.problems: list[str] = []
        self.context: BrowserContext = browser.new_context(
            base_url=base,
            locale="en-GB",
            timezone_id="Europe/Berlin",
            **options,  # type: ignore[arg-type]
        )
        self.context.set_default_timeout(PATIENCE_MS)
        self.context.add_init_script(_VIOLATIONS)
        self.context.on("request", self._asked)
        self.context.on("console", lambda said: self._said(said.type, said.text))
        self.context.on("weberror", lambda error: self.problems.append(str(error.error)))
        self.context.on(
            "response",
            lambda answer: self._said(
                "error" if answer.status >= 500 else "", f"{answer.status} {answer.url}"
            ),
        )
        self.page: Page = self.context.new_page()

    def _asked(self, request: Request) -> None:
        if urlsplit(request.url).netloc not in self.hosts:
            self.problems.append(f"another host: {request.url}")

    def _said(self, kind: str, text: str) -> None:
        if kind == "error":
            self.problems.append(text)

    def close(self) -> None:
        self.context.close()

    # --- what a person does -------------------------------------------------------------------

    def sign_in(self, name: str, password: str) -> None:
        self.page.goto("/login")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.heading("Overview")).to_be_attached()

    def heading(self, text: str) -> Locator:
        return self.page.get_by_role("heading", name=text, level=1)

    def open_by_menu(self, name: str) -> None:
        entry = self.page.locator("a", has_text=re.compile(f"^{re.escape(name)}$"))
        group = self.page.locator("header details.menu", has=entry)
        group.locator("summary").click()
        group.get_by_role("link", name=name, exact=True).click()
        expect(self.page.locator("header a[aria-current=page]")).to_have_text(name)

    def confirm(self, what: str, fields: Mapping[str, str] | None = None) -> None:
        """Open the form of that title, fill it in, and say yes; then read what came of it."""
        form = self.page.locator("details", has=self.page.locator("summary", has_text=what))
        form.locator("summary").click()
        for label, text in (fields or {}).items():
            form.get_by_label(label).fill(text)
        form.get_by_role("button").last.click()

    def is_told(self, text: str) -> None:
        """The line that says what came of an action; where the host was too busy to do it while the
        page was waited for, that it is under way. What it did, the walk looks at itself."""
        told = re.compile(f"{re.escape(text)}|^Under way: it goes on by itself")
        expect(self.page.locator("p.notice[role=status]")).to_contain_text(told)

    def tab_to(self, kind: str, text: str) -> None:
        """Press Tab until that is what the next key is for, and see that it shows."""
        for _ in range(MAX_TABS):
            self.page.keyboard.press("Tab")
            focused = self.page.locator(f"{kind}:focus-visible", has_text=text)
            if focused.count():
                assert focused.evaluate(_OUTLINE) != "none", f"{text} does not show its focus"
                return
        raise AssertionError(f"Tab does not come to {kind} {text}")
