"""The curl lines of docs/partners.md do what the page says, in its order."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from db_interface.database import Database
from db_interface.owned_objects import OwnedObject
from domain.objects.locations import owned_location
from domain.schemas import parse_datetime
from tests.conftest import Loop
from tests.cpo_app.ocpi.command_face import CommandFace
from tests.domain.schemas.samples import location, tariff

PAGE = Path(__file__).parents[3] / "docs" / "partners.md"
TOOLS = ("curl", "jq", "base64", "bash")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def files(tmp_path: Path) -> Iterator[str]:
    """The page's "web server that gives these two files out": its address."""
    (tmp_path / "mine").mkdir()
    handler = partial(Quiet, directory=str(tmp_path / "mine"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def world(db: Database, loop: Loop) -> Iterator[CommandFace]:
    world = CommandFace(db, loop)
    yield world
    world.close()


@pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason=f"needs {', '.join(TOOLS)}")
def test_the_page_from_top_to_bottom(world: CommandFace, files: str, tmp_path: Path) -> None:
    face = world.face
    moment = parse_datetime(location()["last_updated"])
    face.keep("locations", owned_location(location(id="LOC2")))
    face.keep("tariffs", OwnedObject("BE", "BEC", ("T1",), tariff(id="T1"), moment))
    peer_id, token_a = face.invite("Roaming BV")

    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    script = "\n".join(f"{block}\necho; echo '--- done'" for block in blocks)
    script = script.replace('"LOC1"', '"site-1"')  # the one that has charge points here
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "VERSIONS": f"{face.ocpi}/versions", "TOKEN_A": token_a, "MINE": files},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    said = [part.strip() for part in ran.stdout.split("--- done\n")]
    answers = [answers_in(part) for part in said]
    _, versions, _, _, pages, token, command, end, _ = answers
    assert {row["version"] for row in versions[0]["data"]} == {"2.1.1", "2.2.1", "2.3.0"}
    credentials = json.loads((tmp_path / "credentials.json").read_text())
    assert credentials["status_code"] == 1000 and credentials["data"]["roles"]
    assert [[row["id"] for row in page["data"]] for page in pages] == [
        ["SITE-1"],
        ["LOC2"],
        ["T1"],
        [],
        [],
    ]
    assert [one["status_code"] for one in (*pages, *token, *command, *end)] == [1000] * 8
    assert command[0]["data"]["result"] == "ACCEPTED"
    assert face.loop.run(face.peers.get(peer_id)).status == "disconnected"


def answers_in(text: str) -> list[Any]:
    """The JSON answers in what a block has printed."""
    decoder, found, place = json.JSONDecoder(), [], 0
    while (place := text.find("{", place)) >= 0:
        answer, place = decoder.raw_decode(text, place)
        found.append(answer)
    return found
