"""Real locations in, and out again to an eMSP that follows the Link headers."""

from __future__ import annotations

import gzip
import json
import os
import secrets
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.e2e.plain_emsp import PlainEmsp
from tests.e2e.processes import REPOSITORY, Processes, eventually
from tests.serving import free_port

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]

SECRETS = {
    "CPO_ENCRYPTION_KEY": secrets.token_hex(32),
    "REGISTRY_SECRET_KEY": secrets.token_hex(32),
}
DUTCH = Path(os.environ.get("OCPI_TEST_DATA", REPOSITORY / "../shared/data/ndw"))


def test_a_thousand_real_locations_are_crawled_each_exactly_once(running: Processes) -> None:
    file = DUTCH / "locations_1000.json.gz"
    if not file.exists():
        pytest.skip(f"the real Dutch locations are not here ({file}); set OCPI_TEST_DATA")
    rows = json.loads(gzip.decompress(file.read_bytes()))
    rows = rows if isinstance(rows, list) else rows["data"]

    imported = running.command(
        *("locations", "import", str(file), "--party", "NL/EVC", "--data-dir", "data"),
        CPO_PARTIES="NL/EVC=Ours",
    )
    assert imported.returncode == 0, imported.stderr
    assert imported.stdout == "imported 1000 (1000 new, 0 changed), unchanged 0, refused 0\n"
    exported = running.command("locations", "export", "--data-dir", "data")
    assert {row["id"] for row in json.loads(exported.stdout)} == {row["id"] for row in rows}
    invited = running.command("peers", "invite", "--name", "Me", "--data-dir", "data")
    token_a = json.loads(invited.stdout)["token"]

    port = free_port()
    running.cpo("serve", f"--port={port}", "--data-dir=data", CPO_ALLOW_PRIVATE_URLS="true")
    base = f"http://127.0.0.1:{port}"
    eventually(lambda: httpx.get(f"{base}/readyz").status_code == 200)
    played = running.command("emsp", "--versions-url", f"{base}/ocpi/versions", "--token", token_a)
    assert played.returncode == 0, played.stderr
    assert "1000 locations" in played.stdout
    shown = Counter(
        line.split("│")[1].strip() for line in played.stdout.splitlines() if "│" in line
    )
    assert shown == Counter(row["id"] for row in rows)


def test_what_cannot_be_understood_is_refused_by_name(
    running: Processes, commands_url: str
) -> None:
    store = {"CPO_MONGO_URL": commands_url, **SECRETS}
    good = json.loads((REPOSITORY / "tests/data/dirty_locations.json").read_text())
    bad = [{"id": "BAD-1", "city": "Nowhere"}, 42, {**good[0], "id": "BAD-2", "country": "Mars"}]
    file = running.directory / "some.json"
    file.write_text(json.dumps({"data": [*good, *bad], "status_code": 1000}))

    imported = running.command("locations", "import", str(file), "--force", **store)

    assert imported.returncode == 1
    summary = f"imported {len(good)} ({len(good)} new, 0 changed), unchanged 0, refused 3\n"
    assert imported.stdout == summary
    assert "refused BAD-1: " in imported.stderr and "refused BAD-2: " in imported.stderr
    assert f"refused #{len(good) + 2}: is int, not an object" in imported.stderr
    exported = running.command("locations", "export", **store)
    assert [row["id"] for row in json.loads(exported.stdout)] == [str(row["id"]) for row in good]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("locations", "import", "missing.json"), "missing.json: No such file or directory"),
        (("peers", "show", "nobody"), "there is no peer nobody"),
        (("emsp", "--versions-url", "http://127.0.0.1:9/v", "--token", "x"), "does not answer"),
    ],
)
def test_an_error_is_one_clear_line(
    running: Processes, commands_url: str, arguments: tuple[str, ...], complaint: str
) -> None:
    failed = running.command(*arguments, CPO_MONGO_URL=commands_url, **SECRETS)
    assert failed.returncode != 0
    assert failed.stdout == ""
    (line,) = failed.stderr.splitlines()
    assert line.startswith("cpo: ") and complaint in line


def test_plain_emsp_reads_endpoints(running: Processes) -> None:
    """The crawler of these tests itself fails on an answer that is not 1000."""
    with pytest.raises(httpx.HTTPError):
        PlainEmsp("x").data(f"http://127.0.0.1:{free_port()}/")
