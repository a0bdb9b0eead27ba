"""Which Chromium the walks take: the machine's own, else Playwright's, else one that apt-get can
put there. `python -m tests.browser.chromium` does the latter before the tests, and never fails."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator

from playwright.sync_api import Browser, Error, Playwright, sync_playwright

from tests.browser.left_out import NO_BROWSER

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
INSTALL_WITHIN_S = 300
_APT = ("apt-get", "-y", "-q", "-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20")
_FLAGS = (
    # The small shared memory of a container is no place for it, and there it may run as root.
    "--disable-dev-shm-usage",
    "--no-sandbox",
    # What a browser does for itself: nothing here needs it.
    "--disable-extensions",
    "--disable-gpu",
)


def candidates(playwright: Playwright) -> Iterator[str]:
    """Where one may be. CHROMIUM=/path names the only one."""
    if chosen := os.environ.get("CHROMIUM"):
        yield chosen
        return
    for name in NAMES:
        if path := shutil.which(name):
            yield path
    yield playwright.chromium.executable_path


def launched(playwright: Playwright) -> Browser | str:
    """The first that starts, else why none does."""
    return _first(playwright, candidates(playwright))


def _first(playwright: Playwright, paths: Iterable[str]) -> Browser | str:
    why = []
    for path in paths:
        try:
            # A busy host takes its time.
            return playwright.chromium.launch(executable_path=path, args=[*_FLAGS], timeout=90_000)
        except Error as error:
            why.append(f"{path}: {(error.message.splitlines() or ['?'])[0]}")
    return f"{NO_BROWSER}: {'; '.join(why)}"


def is_here() -> bool:
    """Whether one starts."""
    with sync_playwright() as playwright:
        found = launched(playwright)
        if isinstance(found, str):
            return False
        found.close()
        return True


def may_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def installed(within_s: float = INSTALL_WITHIN_S) -> bool:
    """Whether apt-get could, once with the lists that are here, once with new ones."""
    from_lists = (*_APT, "install", "--no-install-recommends", "chromium")
    return any(
        all(_done(command, within_s) for command in attempt)
        for attempt in ((from_lists,), ((*_APT, "update"), from_lists))
    )


def _done(command: tuple[str, ...], within_s: float) -> bool:
    process = subprocess.Popen(
        command,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return process.wait(within_s) == 0
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        return False


def main() -> None:
    if os.environ.get("CHROMIUM") or is_here() or not may_install():
        return
    print(
        "No Chromium here: installing one by apt-get for the walks through the console", flush=True
    )
    if not installed():
        print("It could not be installed; the walks are left out.", flush=True)


if __name__ == "__main__":
    try:
        main()
    except Exception as error:  # the tests say it when there is none
        print(f"No Chromium for the walks: {error}", file=sys.stderr)
