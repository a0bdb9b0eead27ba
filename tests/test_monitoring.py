"""The dashboard and the alarms of deploy/ speak of metrics, labels and values that there are, and
each alarm leads to what is to be done. Expressions are read by the parser of PromQL."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest
import yaml

from cpo_app.operator.metrics import of_store
from db_interface.database import Database
from domain.operator.snapshot import snapshot
from tests.conftest import Loop
from tests.exposed_metrics import exposed

REPOSITORY = Path(__file__).parents[1]
DASHBOARD = json.loads((REPOSITORY / "deploy/grafana/cpo.json").read_text())
ALARMS = [
    rule
    for group in yaml.safe_load((REPOSITORY / "deploy/prometheus/alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
OPERATIONS = (REPOSITORY / "docs/operations.md").read_text()
OF_PROMETHEUS = {"up": frozenset({"job", "instance"})}
ALWAYS = {"job", "instance"}
"""Prometheus puts these on every series."""


def panels() -> list[dict[str, Any]]:
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def queries() -> dict[str, str]:
    """{where it stands: PromQL}, Grafana's own variables filled in."""
    found = {f"alarm {rule['alert']}": rule["expr"] for rule in ALARMS}
    for panel in panels():
        for target in panel["targets"]:
            expr = target["expr"].replace("$__rate_interval", "5m").replace("$peer", ".*")
            assert "$" not in expr, f"{panel['title']}: a variable that nobody fills in"
            found[f"panel {panel['title']} {target['refId']} {panel['id']}"] = expr
    return found


def labels_of(expr: Any, there: Mapping[str, frozenset[str]]) -> set[str]:
    """The labels that a result can bear; on the way, every name and label is looked at."""
    if isinstance(expr, promql.VectorSelector):
        assert expr.name is not None and expr.name in there, f"there is no metric {expr.name}"
        labels = set(there[expr.name]) | ALWAYS
        asked = {matcher.name for matcher in expr.matchers.matchers}
        assert asked <= labels, f"{expr.name} has no label {asked - labels}"
        return labels
    if isinstance(expr, promql.MatrixSelector):
        return labels_of(expr.vector_selector, there)
    if isinstance(expr, promql.AggregateExpr):
        labels = labels_of(expr.expr, there)
        if expr.modifier is None:
            return set()
        assert expr.modifier.type == promql.AggModifierType.By
        by = set(expr.modifier.labels)
        assert by <= labels, f"{expr.prettify()}: no label {by - labels}"
        return by
    if isinstance(expr, promql.Call):
        inner = [labels_of(arg, there) for arg in expr.args]
        labels = inner[-1]
        if expr.func.name == "histogram_quantile":
            assert "le" in labels, f"{expr.prettify()}: a histogram needs its le"
            labels = labels - {"le"}
        return labels
    if isinstance(expr, promql.BinaryExpr):
        left, right = labels_of(expr.lhs, there), labels_of(expr.rhs, there)
        numbers = [isinstance(side, promql.NumberLiteral) for side in (expr.lhs, expr.rhs)]
        if any(numbers):
            return right if numbers[0] else left
        modifier = expr.modifier
        if modifier is None or modifier.matching is None:
            assert left == right, f"{expr.prettify()}: nothing would match"
            return left
        on = set(modifier.matching.labels)
        assert on <= left and on <= right, f"{expr.prettify()}: no label to match on"
        brought = set(modifier.group_labels or ())
        assert brought <= right
        return left | brought
    if isinstance(expr, promql.ParenExpr | promql.UnaryExpr):
        return labels_of(expr.expr, there)
    assert isinstance(expr, promql.NumberLiteral | promql.StringLiteral), type(expr)
    return set()


@pytest.fixture
def there(db: Database, loop: Loop) -> dict[str, frozenset[str]]:
    return {**loop.run(exposed(db)), **OF_PROMETHEUS}


def test_every_metric_and_label_that_is_asked_for_is_there(
    there: dict[str, frozenset[str]],
) -> None:
    for where, query in queries().items():
        try:
            labels_of(promql.parse(query), there)
        except AssertionError as error:
            raise AssertionError(f"{where}: {error}") from None


def test_a_slip_of_the_pen_would_be_found(there: dict[str, frozenset[str]]) -> None:
    for query in (
        "cpo_charge_point",
        'cpo_charge_points{state="UNKNOWN"}',
        "sum by (peer) (cpo_charge_points)",
        "histogram_quantile(0.9, sum by (module) (rate(cpo_push_latency_seconds_bucket[5m])))",
        "cpo_push_backlog * on (name) group_left (peer) cpo_peer_info",
        "max(cpo_sessions_running) and cpo_peers",
    ):
        with pytest.raises(AssertionError):
            labels_of(promql.parse(query), there)


def test_the_values_that_are_looked_for_are_said(db: Database, loop: Loop) -> None:
    async def values() -> dict[tuple[str, str], set[str]]:
        found: dict[tuple[str, str], set[str]] = {}
        for family in of_store(await snapshot(db), db.now()):
            for sample in family.samples:
                for label, value in sample.labels.items():
                    found.setdefault((sample.name, label), set()).add(value)
        return found

    known, looked_at = loop.run(values()), 0
    for where, query in queries().items():
        for name, said in re.findall(r"(cpo_\w+)\{([^}]*)\}", query):
            for label, how, value in re.findall(r'(\w+)(=~?)"([^"]*)"', said):
                if (name, label) in known:
                    wanted = set(value.split("|")) if how == "=~" else {value}
                    assert wanted <= known[name, label], f"{where}: {wanted}"
                    looked_at += 1
    assert looked_at > 5


def test_what_is_written_beside_a_curve_is_a_label_of_it(
    there: dict[str, frozenset[str]],
) -> None:
    for panel in panels():
        for target in panel["targets"]:
            query = target["expr"].replace("$__rate_interval", "5m").replace("$peer", ".*")
            written = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            assert written <= labels_of(promql.parse(query), there), panel["title"]
    for rule in ALARMS:
        texts = " ".join(rule["annotations"].values())
        written = set(re.findall(r"\$labels\.(\w+)", texts))
        assert written <= labels_of(promql.parse(rule["expr"]), there), rule["alert"]


def test_the_dashboard_can_be_imported_anywhere() -> None:
    datasource, peer = DASHBOARD["templating"]["list"]
    assert (datasource["type"], datasource["query"]) == ("datasource", "prometheus")
    ours = {"type": "prometheus", "uid": "${datasource}"}
    assert peer["datasource"] == ours
    for panel in panels():
        assert panel["datasource"] == ours
        assert all(target["datasource"] == ours for target in panel["targets"])
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    places = [panel["gridPos"] for panel in DASHBOARD["panels"]]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    cells = [
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells), "panels lie one over the other"


def test_grafana_knows_every_field_of_the_dashboard() -> None:
    """Read into Grafana's own models and written again, nothing is lost: a field that they do not
    know would be."""
    written = as_grafana_writes_it(DASHBOARD)
    # These are of a file to import, and a hint for whoever edits it: no part of a dashboard.
    assert [*lost(DASHBOARD, written)] == [
        ".__inputs",
        ".__requires",
        ".templating.list[1].definition",
    ]
    slip = json.loads(json.dumps(DASHBOARD))
    slip["panels"][1]["fieldConfig"]["defaults"]["unitt"] = "watt"
    unknown = {*lost(slip, as_grafana_writes_it(slip))}
    assert ".panels[1].fieldConfig.defaults.unitt" in unknown


def as_grafana_writes_it(dashboard: dict[str, Any]) -> object:
    """The models are there for Python 3.11 and later."""
    models = pytest.importorskip("grafana_foundation_sdk.models.dashboard")
    encoder = importlib.import_module("grafana_foundation_sdk.cog.encoder").JSONEncoder
    importlib.import_module("grafana_foundation_sdk.cog.plugins").register_default_plugins()
    return json.loads(json.dumps(models.Dashboard.from_json(dashboard), cls=encoder))


def lost(given: object, kept: object, path: str = "") -> Iterator[str]:
    """Where something stands in the one that is not so in the other."""
    if isinstance(given, dict) and isinstance(kept, dict):
        for name, inner in given.items():
            if name in kept:
                yield from lost(inner, kept[name], f"{path}.{name}")
            else:
                yield f"{path}.{name}"
    elif isinstance(given, list) and isinstance(kept, list) and len(given) == len(kept):
        for nth, (inner, other) in enumerate(zip(given, kept, strict=True)):
            yield from lost(inner, other, f"{path}[{nth}]")
    elif given != kept:
        yield path


def test_every_alarm_leads_to_what_is_to_be_done() -> None:
    rows = dict(re.findall(r'^\| <a id="([a-z-]+)"></a>`(\w+)` \|', OPERATIONS, re.M))
    led_to = {}
    for rule in ALARMS:
        page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert page == "docs/operations.md"
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"] and rule["annotations"]["description"]
        led_to[anchor] = rule["alert"]
    assert led_to == rows, "each alarm has a row, and each row an alarm"
