"""Variables of the device model under one name each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db_interface.json_data import JsonObject
from domain.ocpp import variables

_NAMES = st.text("ABCabc123-_ ", min_size=1, max_size=50)
_COMPONENTS = st.fixed_dictionaries(
    {"name": _NAMES},
    optional={
        "instance": _NAMES,
        "evse": st.fixed_dictionaries(
            {"id": st.integers(0, 99)}, optional={"connectorId": st.integers(0, 9)}
        ),
    },
)
_VARIABLES = st.fixed_dictionaries({"name": _NAMES}, optional={"instance": _NAMES})


@given(_COMPONENTS, _VARIABLES)
def test_a_name_says_all_that_it_is_made_of(component: JsonObject, variable: JsonObject) -> None:
    name = variables.name_of(component, variable)
    assert variables.parse(name) == {"component": component, "variable": variable}


@pytest.mark.parametrize("name", ["", "HeartbeatInterval", ".X", "A.", "A@x.B", "A@1:.B"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(variables.NoSuchVariable, match=r"write COMPONENT\.VARIABLE"):
        variables.parse(name)


def test_a_report_says_the_actual_values() -> None:
    report = {
        "requestId": 1,
        "generatedAt": "2026-05-01T00:00:00Z",
        "seqNo": 0,
        "reportData": [
            {
                "component": {"name": "SmartChargingCtrlr"},
                "variable": {"name": "RateUnit"},
                "variableAttribute": [
                    {"value": "A,W", "mutability": "ReadOnly"},
                    {"type": "Target", "value": "A"},
                ],
            },
            {
                "component": {"name": "OCPPCommCtrlr"},
                "variable": {"name": "MessageTimeout", "instance": "Default"},
                "variableAttribute": [{"type": "Actual", "mutability": "WriteOnly"}],
            },
        ],
    }
    assert variables.entries_of(report) == [
        {"key": "SmartChargingCtrlr.RateUnit", "value": "A,W", "readonly": True},
        {"key": "OCPPCommCtrlr.MessageTimeout/Default", "value": None, "readonly": False},
    ]
