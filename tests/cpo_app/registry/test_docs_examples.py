"""The curl lines of docs/registry.md do what the page says, in its order."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import Loop
from tests.cpo_app.registry.conftest import ADMIN_KEY
from tests.cpo_app.registry.serving import serving, settings_with, until_ready

PAGE = Path(__file__).parents[3] / "docs" / "registry.md"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_page_from_top_to_bottom(loop: Loop, store_url: str) -> None:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    answers: list[dict[str, Any]] = []
    shell = {"ADMIN_KEY": ADMIN_KEY}

    async def story() -> None:
        settings = settings_with(CPO_MONGO_URL=store_url, REGISTRY_ADMIN_API_KEY=ADMIN_KEY)
        async with serving(settings) as address:
            async with httpx.AsyncClient(base_url=f"http://{address}") as client:
                await until_ready(client)
            for block in blocks:
                script = block.replace("http://127.0.0.1:8080", f"http://{address}")
                for line in re.split(r"(?<!\\)\n", script.strip()):
                    answers.append(await run(line))

    async def run(line: str) -> dict[str, Any]:
        process = await asyncio.create_subprocess_shell(
            line, env={**os.environ, **shell}, stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()
        answer = json.loads(output)
        assert "error" not in answer, (line, answer)
        for name in ("credentials", "token"):
            if name in answer:
                shell[name.upper()] = answer[name]
        return answer

    loop.run(story())

    registered, authenticated, again, shown, listed, deregistered = answers
    assert registered["status"] == authenticated["status"] == "REGISTERED"
    assert again["location"].startswith("Alexanderplatz")
    assert shown["metadata"] == {"power_rating": "22kW"}
    assert shown["ocpi"]["offered"] is True
    assert listed["total"] == 1
    assert deregistered["status"] == "DEREGISTERED"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("admin_key", ["", ADMIN_KEY])
def test_the_script_walks_a_charge_points_life(loop: Loop, store_url: str, admin_key: str) -> None:
    script = Path(__file__).parents[3] / "scripts" / "test_registry.sh"

    async def story() -> str:
        settings = settings_with(CPO_MONGO_URL=store_url, REGISTRY_ADMIN_API_KEY=admin_key)
        async with serving(settings) as address:
            async with httpx.AsyncClient(base_url=f"http://{address}") as client:
                await until_ready(client)
            process = await asyncio.create_subprocess_exec(
                str(script),
                f"http://{address}",
                env={**os.environ, "REGISTRY_ADMIN_API_KEY": admin_key},
                stdout=asyncio.subprocess.PIPE,
            )
            output, _ = await process.communicate()
            assert process.returncode == 0, output.decode()
            return output.decode()

    assert loop.run(story()).count("ok ") == 11
