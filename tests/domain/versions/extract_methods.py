"""Makes tests/data/ocpi_methods.json: the tables of methods and of status codes of all versions.

    python -m tests.domain.versions.extract_methods GIT_DIRECTORY_OF_OCPI

By version and module: which HTTP methods the interface has that a CPO offers ("n/a": not), and the
status codes. 2.3.0's payments are in a text of their own, branch 2.3.0/release/payments. Never edit
the JSON by hand: it is the texts' word.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.domain.versions.extract_headings import BRANCHES, shown

KEPT = Path(__file__).parents[2] / "data" / "ocpi_methods.json"
_FILES = {
    "credentials": "credentials",
    "locations": "mod_locations",
    "sessions": "mod_sessions",
    "cdrs": "mod_cdrs",
    "tariffs": "mod_tariffs",
    "tokens": "mod_tokens",
    "commands": "mod_commands",
    "chargingprofiles": "mod_charging_profiles",
    "hubclientinfo": "mod_hub_client_info",
}
_OURS = {"tokens": "Receiver", "commands": "Receiver", "chargingprofiles": "Receiver"}
_OURS |= {"hubclientinfo": "Receiver"}
"""A CPO has the sender's interface of the others."""
_METHOD = re.compile(r"\| *(?:<<\w+,|\[)?(GET|POST|PUT|PATCH|DELETE)(?:>>|\]\(\S*\))? *\|\s*(.*)")
_HEADING = re.compile(r"[=#]{2,6} +(.*)")


def rows(text: str) -> Iterator[tuple[str, str, bool]]:
    """(heading, method, whether it is there) of each row of a table of methods."""
    heading = ""
    for line in text.splitlines():
        if found := _HEADING.match(line):
            heading = found[1]
        elif found := _METHOD.match(line):
            yield heading, found[1], not found[2].strip().lower().startswith("n/a")


def methods(text: str, interface: str) -> dict[str, bool]:
    return {method: there for heading, method, there in rows(text) if interface in heading}


def status_codes(text: str) -> list[int]:
    return sorted({int(code) for code in re.findall(r"^\| ?(\d{4}) ?\|", text, re.MULTILINE)})


def main() -> None:
    (directory,) = sys.argv[1:]
    found: dict[str, object] = {}
    for number, branch in BRANCHES.items():
        old = number == "2.1.1"
        ending = "md" if old else "asciidoc"
        files = {k: v for k, v in _FILES.items() if not (old and k.endswith(("profiles", "info")))}
        of: dict[str, object] = {}
        for module, file in files.items():
            interface = "CPO Interface" if old else f"{_OURS.get(module, 'Sender')} Interface"
            interface = "Interfaces and endpoints" if module == "credentials" else interface
            of[module] = methods(shown(directory, branch, f"{file}.{ending}"), interface)
        codes = status_codes(shown(directory, branch, f"status_codes.{ending}"))
        found[number] = {"methods": of, "status_codes": codes}
    payments = shown(directory, "2.3.0/release/payments", "mod_payments.asciidoc")
    there = payments.split("==== Receiver Interface", 1)[1]
    of_payments: dict[str, dict[str, bool]] = {}
    for heading, method, is_there in rows(there):
        of_payments.setdefault(heading, {})[method] = is_there
    found["payments"] = of_payments
    KEPT.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
