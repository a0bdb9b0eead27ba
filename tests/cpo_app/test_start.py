"""What a worker does not load before anybody needs it: a start is the sum of what it imports."""

from __future__ import annotations

import subprocess
import sys

LATER = {
    "cpo_app.charge_point",
    "cpo_app.cli",
    "cpo_app.conformance",
    "cpo_app.demo_emsp",
    "cpo_app.mock_hub",
    "cpo_app.registry",
    "domain.versions.v2_1_1.reading",
    "domain.versions.v2_1_1.rendering",
    "domain.versions.v2_1_1.schemas",
    "domain.versions.v2_3_0.reading",
    "domain.versions.v2_3_0.rendering",
    "motor.motor_tornado",
    "typer",
}


def test_a_worker_loads_nothing_that_it_may_never_need() -> None:
    asked = "import sys, cpo_app.main; print('\\n'.join(sys.modules))"
    answer = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=120
    )
    loaded = {*answer.stdout.split()}
    assert "cpo_app.main" in loaded
    assert loaded & LATER == set()
