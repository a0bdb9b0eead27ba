"""Text can be read: WCAG 2.1 AA asks for a contrast of 4.5 (1.4.3), by day and by night."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CSS = (Path(__file__).parents[3] / "cpo_app/console/static/console.css").read_text()
TONES = ("good", "busy", "held", "warn", "bad", "off", "gone")
Colour = tuple[float, float, float]


def palette(scheme: str) -> dict[str, Colour]:
    pairs = re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{3,6}), (#[0-9a-f]{3,6})\);", CSS)
    assert len(pairs) > 10
    return {name: rgb(light if scheme == "light" else dark) for name, light, dark in pairs}


def rgb(text: str) -> Colour:
    digits = text[1:] if len(text) == 7 else "".join(2 * digit for digit in text[1:])
    red, green, blue = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
    return red, green, blue


def mixed(colour: Colour, share: float, ground: Colour) -> Colour:
    """`color-mix(in srgb, colour share, transparent)` on that ground."""
    red, green, blue = (c * share + g * (1 - share) for c, g in zip(colour, ground, strict=True))
    return red, green, blue


def contrast(one: Colour, other: Colour) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: Colour) -> float:
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(scheme: str) -> None:
    known = palette(scheme)
    (share,) = re.findall(r"\.status \{.*color-mix\(in srgb, var\(--tone\) (\d+)%", CSS)
    pairs = {
        f"{text} on {ground}": (known[text], known[ground])
        for text in ("ink", "dim", "accent", "bad")
        for ground in ("card", "ground")
    }
    pairs["a button"] = (known["accent-ink"], known["accent"])
    pairs["a dangerous button, and the bar of a stale page"] = (known["card"], known["bad"])
    for tone in TONES:
        pairs[f"{tone} on a card"] = (known[tone], known["card"])
        for ground in ("card", "ground"):
            behind = mixed(known[tone], int(share) / 100, known[ground])
            pairs[f"the status {tone} on {ground}"] = (known[tone], behind)
    measured = {name: round(contrast(*pair), 2) for name, pair in pairs.items()}
    assert {name: value for name, value in measured.items() if value < 4.5} == {}


def test_no_text_is_made_pale() -> None:
    """Opacity takes from a contrast that is just enough; a stale page alone is to look so."""
    rules = re.findall(r"([^{}]+)\{[^{}]*\bopacity:", CSS)
    assert [rule.strip() for rule in rules] == [".is-stale main"]
