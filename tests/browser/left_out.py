"""A run that had no browser says so at its end: nobody takes green dots for walks."""

from __future__ import annotations

import pytest

NO_BROWSER = "no Chromium starts here"
"""How the reason begins of a test that was skipped for it."""


def say_what_was_left_out(reporter: pytest.TerminalReporter) -> None:
    skipped = reporter.stats.get("skipped", [])
    reasons = [str(one.longrepr[2]) for one in skipped if isinstance(one.longrepr, tuple)]
    found = [reason.removeprefix("Skipped: ") for reason in reasons if NO_BROWSER in reason]
    if found:
        reporter.write_line(
            f"NOT TESTED: {len(found)} walks through the console, as {found[0]}. "
            "Install Chromium, or name one by CHROMIUM=/path.",
            red=True,
            bold=True,
        )
