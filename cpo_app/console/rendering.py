"""Pages out of templates, with the headers that every page of the console has.

Autoescaping is on for every template, and the policy allows no inline script and no other host:
text of charge points and peers can be shown, but not become part of a page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

from cpo_app.console import words
from cpo_app.console.action_forms import form_of
from cpo_app.console.navigation import NAVIGATION
from cpo_app.console.verdict import matter_href
from db_interface.json_data import JsonMapping
from domain.audit.listing import changes_of
from domain.times import utc_now

HERE = Path(__file__).parent
ASSETS = "/console/static"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src {images}; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
POLICY = _POLICY.format(images="'self'")
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Not "no-referrer": the browser would then say "Origin: null" on our own forms.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def with_images_of(origin: str) -> dict[str, str]:
    """Headers of a page that shows images of that host, which is told of which site it is."""
    return {
        "Content-Security-Policy": _POLICY.format(images=f"'self' {origin}"),
        "Referrer-Policy": "strict-origin-when-cross-origin",
    }


THEME_COOKIE = "cpo_theme"
THEMES = ("auto", "dark", "light")
_KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class Rendering:
    """`title` is the project's name, shown on every page; `zone` the operator's, "": not given;
    `demo_speed` how many times faster than time the charge points of a demonstration charge."""

    def __init__(
        self,
        title: str,
        docs_url: str,
        clock: Callable[[], datetime] = utc_now,
        *,
        zone: str = "",
        demo_speed: float = 1,
    ) -> None:
        self._clock = clock
        self._assets = {
            path.name: (path.read_bytes(), _KINDS[path.suffix])
            for path in (HERE / "static").iterdir()
            if path.suffix in _KINDS
        }
        env = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        env.globals |= {
            "project": title,
            "docs_url": docs_url,
            "asset": self._asset_url,
            "form_of": form_of,
            "navigation": NAVIGATION,
            "themes": THEMES,
            "demo_speed": demo_speed,
            "zone": zone,
        }
        env.filters |= {
            "ago": lambda moment: words.ago(moment, self._clock()),
            "changes": changes_of,
            "clock_offset": words.clock_offset,
            "duration": words.duration,
            "hidden": words.hidden,
            "is_old": lambda moment: words.is_old(moment, self._clock()),
            "iso": words.iso,
            "matter_href": matter_href,
            "moment": words.moment,
            "number": words.number,
            "party": words.party,
            "price": words.price,
            "public_url": words.public_url,
            "segment": words.segment,
            "tojson_text": lambda value: orjson.dumps(value, default=str).decode(),
            "tone": words.tone,
            "unit": words.with_unit,
        }
        self._env = env

    def page(
        self,
        template: str,
        values: JsonMapping,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """An HTML answer; the moment of rendering is `now` in the template."""
        html = self._env.get_template(template).render(now=self._clock(), **values)
        return Response(
            html,
            status,
            headers={**HEADERS, **(headers or {})},
            media_type="text/html",
        )

    def asset(self, name: str) -> Response | None:
        """A style sheet, script or icon. Its address changes with its content: kept for long."""
        found = self._assets.get(name)
        if found is None:
            return None
        kept = {**HEADERS, "Cache-Control": "public, max-age=31536000, immutable"}
        return Response(found[0], media_type=found[1], headers=kept)

    def _asset_url(self, name: str) -> str:
        version = hashlib.sha256(self._assets[name][0]).hexdigest()[:12]
        return f"{ASSETS}/{name}?v={version}"
