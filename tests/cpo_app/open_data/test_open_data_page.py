"""The curl lines of docs/open-data.md do what the page says, in its order."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cpo_app.open_data.room import OpenDataDoor
from tests.cpo_app.open_data.test_whole_documents import Reader, reader
from tests.domain.schemas.samples import connector, evse
from tests.serving import served

__all__ = ["reader"]

PAGE = Path(__file__).parents[3] / "docs" / "open-data.md"
TOOLS = ("curl", "jq", "bash")


@pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason=f"needs {', '.join(TOOLS)}")
def test_the_page_from_top_to_bottom(reader: Reader, tmp_path: Path) -> None:
    named = [connector(tariff_ids=["ADHOC"])]
    reader.publish_location(
        "LOC1", evses=[evse(connectors=named), evse(uid="E2", status="BLOCKED")]
    )
    reader.publish_tariff("ADHOC", type="AD_HOC_PAYMENT")
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    with served(OpenDataDoor(reader.room, room=reader.room), reader.loop) as base:
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)],
            cwd=tmp_path,
            env={**os.environ, "CPO": base},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert ran.returncode == 0, ran.stderr
    said = ran.stdout.replace("\r", "").splitlines()
    assert any(line.endswith("/open-data/ocpi/2.3.0/locations.json") for line in said)
    counts = "".join(said[said.index("{") : said.index("}") + 1]).replace(" ", "")
    assert counts == '{"AVAILABLE":1,"BLOCKED":1}'
    assert [line.lower() for line in said[said.index("}") + 1 :]] == [
        "304",
        "1",
        "x-total-count: 1",
        "adhoc",
    ]
