"""`cpo up`: the whole system in one go, as a newcomer starts it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.e2e.plain_emsp import PlainEmsp
from tests.e2e.processes import REPOSITORY, Processes, alive, children_of, eventually
from tests.serving import free_port

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]


def all_of_it(port: int, registry_port: int) -> tuple[str, ...]:
    return (
        "up",
        f"--port={port}",
        f"--registry-port={registry_port}",
        "--charge-points=2",
        "--data-dir=data",
    )


def test_a_newcomer_starts_it_all_and_sees_an_ocpi_request_work(running: Processes) -> None:
    port, registry_port = free_port(), free_port()
    up = running.installed(*all_of_it(port, registry_port))
    eventually(lambda: up.said("OCPI CPO backend is up"), timeout_s=100, what="the panel")
    base = f"http://127.0.0.1:{port}"

    # It comes when the charge points are there, after what they say when they start
    before, _, _ = up.output.partition("OCPI CPO backend is up")
    for cp_id in ("CP-001", "CP-002"):
        assert f"Registering {cp_id} with EV_Registry" in before

    # The three curl lines of the panel work as they stand
    lines = re.findall(r"^\s+(curl .*)$", up.output, re.MULTILINE)
    assert len(lines) == 3
    for line in lines:
        # In a pasted line `cpo` is found in the directory that the person works in.
        shown = re.sub(r"\S*bin/cpo", f"{sys.executable} -m cpo_app.cli", line)
        answer = subprocess.run(
            ["sh", "-c", shown.replace("curl", "curl -sS", 1)],
            cwd=running.directory,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert json.loads(answer.stdout), line

    # An invited eMSP shakes hands and prints the locations
    password = Path(running.directory, "data/admin.password").read_text().strip()
    charge_points = httpx.Client(base_url=base, auth=("admin", password))
    eventually(lambda: len(charge_points.get("/cp").json()["charge_points"]) == 2)
    assert httpx.get(f"{base}/cp").status_code == 401

    # The first start shows the password and a link that signs in, once
    assert password in up.output
    (link,) = re.findall(rf"{base}/login/once/\S+", up.output)
    browser = httpx.Client(follow_redirects=True, headers={"Accept": "text/html"})
    assert "Overview" in browser.get(link).text
    assert "Sign out" in browser.get(f"{base}/console/account").text
    assert httpx.get(link).status_code == 410
    invited = running.command("peers", "invite", "--name", "Me", "--data-dir", "data")
    assert invited.returncode == 0, invited.stderr
    invitation = json.loads(invited.stdout)
    assert invitation["versions_url"] == f"{base}/ocpi/versions"
    played = running.command(
        "emsp", "--versions-url", invitation["versions_url"], "--token", invitation["token"]
    )
    assert played.returncode == 0, played.stderr
    assert "2 locations" in played.stdout and "Berlin" in played.stdout

    # The invitation is used up: a second handshake with it is refused in one line
    again = running.command(
        "emsp", "--versions-url", invitation["versions_url"], "--token", invitation["token"]
    )
    assert again.returncode != 0 and again.stderr.startswith("cpo: ")
    assert len(again.stderr.splitlines()) == 1

    # `cpo check` knows an invitation's token, and registers with it when told to
    other = json.loads(
        running.command("peers", "invite", "--name", "Check", "--data-dir", "data").stdout
    )
    asked = ("check", other["versions_url"], "--token", other["token"])
    refused = running.command(*asked)
    assert refused.returncode == 1 and "seems to be a CREDENTIALS_TOKEN_A" in refused.stderr
    checked = running.command(*asked, "--register")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "0 FAIL" in checked.stderr

    # A second `cpo up` on the same data says so in one line
    second = running.command(
        "up", f"--port={free_port()}", f"--registry-port={free_port()}", "--data-dir=data"
    )
    assert second.returncode != 0
    assert "is in use by another cpo" in second.stderr.splitlines()[-1]

    # Uptime monitors ask by HEAD
    for url in (f"{base}/healthz", f"http://127.0.0.1:{registry_port}/healthz"):
        head = httpx.head(url)
        assert (head.status_code, head.content) == (200, b"")

    # The docs need nothing from elsewhere, and come compressed
    page = httpx.get(f"{base}/ocpi/docs").text
    scripts = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert scripts and all(link.startswith("/") for link in scripts)
    came = [httpx.get(base + link) for link in scripts]
    assert all(answer.status_code == 200 for answer in came)
    assert any(answer.headers.get("content-encoding") == "gzip" for answer in came)

    # A stop takes at most 5 s (here, a busy host's double) and leaves nothing behind
    children = children_of(up.pid)
    assert len(children) >= 4
    started = time.monotonic()
    assert up.stop(timeout_s=15) == 0
    assert time.monotonic() - started < 10
    assert up.output.rstrip().endswith("stopping ...")
    assert not [child for child in children if alive(child)]
    assert "Traceback" not in up.output
    for secret in (
        invitation["token"],
        Path(running.directory, "data/registry.key").read_text().strip(),
    ):
        assert secret not in up.output


def test_killed_in_the_middle_it_recovers_with_everything(running: Processes) -> None:
    port, registry_port = free_port(), free_port()
    up = running.cpo(*all_of_it(port, registry_port))
    eventually(lambda: up.said("OCPI CPO backend is up"), timeout_s=100, what="the panel")
    registry = f"http://127.0.0.1:{registry_port}"
    eventually(lambda: httpx.get(f"{registry}/cp").json()["total"] == 2)
    children = children_of(up.pid)

    up.kill()
    eventually(lambda: not [child for child in children if alive(child)], what="no orphans")

    up.start()
    again = "the panel again"
    eventually(lambda: up.output.count("OCPI CPO backend is up") == 2, timeout_s=100, what=again)
    rows = httpx.get(f"{registry}/cp").json()["cps"]
    assert {row["cp_id"] for row in rows} == {"CP-001", "CP-002"}
    assert up.output.count("CP registered") == 2

    # A part that dies is started again
    (central,) = (
        child
        for child in children_of(up.pid)
        if Path(f"/proc/{child}/comm").read_text() == "serve\n"
    )
    os.kill(central, 9)
    eventually(lambda: up.said("EV_Central ended"))
    eventually(lambda: httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200)
    assert up.stop() == 0


def test_uvicorn_serves_the_app_on_the_same_defaults(running: Processes) -> None:
    port = free_port()
    server = running.module(
        "uvicorn",
        "cpo_app.main:app",
        f"--port={port}",
        CPO_DATA_DIR="data",
        CENTRAL_PORT=str(port),
    )
    base = f"http://127.0.0.1:{port}"
    eventually(lambda: httpx.get(f"{base}/readyz").status_code == 200, timeout_s=100)
    invited = running.command("peers", "invite", "--name", "Me", "--data-dir", "data")
    token = json.loads(invited.stdout)["token"]
    assert "locations" in PlainEmsp(token).endpoints(f"{base}/ocpi/versions")
    children = children_of(server.pid)
    server.stop()
    assert not [child for child in children if alive(child)]
