"""What keeps people out of a page, found by axe-core: the rules of WCAG 2 A and AA."""

from __future__ import annotations

import json
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

WIDTHS = (1600, 390)
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_COLOURS = ["color-contrast", "link-in-text-block"]
"""What another theme can change."""
_LIKE_THE_FIRST = ["tbody tr:nth-child(n+5)", "ul.rows > li:nth-child(n+5)"]
"""Rows of which some have been looked at already."""
_RUN = """([within, only, but]) => axe.run(
    {include: [within],
     exclude: but.filter(one => document.querySelector(one)).map(one => [one])},
    {runOnly: only, resultTypes: ["violations"]})
  .then(found => found.violations.flatMap(rule => rule.nodes.map(node =>
    [rule.id, node.target.join(" "), node.html.slice(0, 160),
     [...node.any, ...node.all, ...node.none].map(check => check.message).join("; ")])))"""
_UNFOLD = "document.querySelectorAll('main details').forEach(one => { one.open = true; })"
_SPILLS = """() => {
  const root = document.documentElement, far = root.clientWidth + 1;
  if (root.scrollWidth < far) return null;
  return [...document.body.querySelectorAll("*")]
    .filter(one => one.getBoundingClientRect().right > far)
    .map(one => one.outerHTML.slice(0, 160)).at(-1) ?? "";
}"""


def violations(page: Page, within: str = "html") -> list[str]:
    """One line for each element and the rule that it breaks, in both themes, wide and narrow, with
    everything unfolded; and where a page is wider than its window."""
    page.evaluate(AXE_SCRIPT)
    page.evaluate(_UNFOLD)
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        widest = page.evaluate(_SPILLS)
        if widest is not None:
            found.append(f"{page.url} is wider than {width} px: {widest}")
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme=theme)
            rules: Any = _TAGS if theme == "light" else {"type": "rule", "values": _COLOURS}
            broken: list[list[str]] = page.evaluate(_RUN, [within, rules, _LIKE_THE_FIRST])
            found += [f"{page.url} {width} px {theme}: {json.dumps(one)}" for one in broken]
    return found
