"""Variables of OCPP 2.0.1's device model under one name each, as configuration keys have one. Pure.

    SmartChargingCtrlr.RateUnit           a variable of a component
    Connector@1:2.Available               of EVSE 1, connector 2
    TokenReader/front.Enabled             of one of several such components
    OCPPCommCtrlr.MessageTimeout/Default  one of several such variables

Source: OCPP 2.0.1 part 2, ComponentType, VariableType.
"""

from __future__ import annotations

import re

from db_interface.json_data import JsonMapping, JsonObject

_NAME = re.compile(
    r"(?P<component>[^./@]{1,50})(?:/(?P<of>[^.@]{1,50}))?(?:@(?P<evse>\d+)(?::(?P<connector>\d+))?)?"
    r"\.(?P<variable>[^/]{1,50})(?:/(?P<instance>.{1,50}))?"
)


class NoSuchVariable(ValueError):
    """It is no variable's name; the message says how one is written."""


def parse(name: str) -> JsonObject:
    """{component, variable} of OCPP. Raises NoSuchVariable."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise NoSuchVariable(f"{name}: write COMPONENT.VARIABLE, as SmartChargingCtrlr.RateUnit")
    component: JsonObject = {"name": found["component"]}
    if found["of"]:
        component["instance"] = found["of"]
    if found["evse"]:
        component["evse"] = {"id": int(found["evse"])}
        if found["connector"]:
            component["evse"]["connectorId"] = int(found["connector"])
    variable: JsonObject = {"name": found["variable"]}
    if found["instance"]:
        variable["instance"] = found["instance"]
    return {"component": component, "variable": variable}


def name_of(component: JsonMapping, variable: JsonMapping) -> str:
    """The inverse of `parse`."""
    text = str(component.get("name"))
    if component.get("instance"):
        text += f"/{component['instance']}"
    evse = component.get("evse") or {}
    if evse.get("id") is not None:
        text += f"@{evse['id']}"
        if evse.get("connectorId") is not None:
            text += f":{evse['connectorId']}"
    text += f".{variable.get('name')}"
    if variable.get("instance"):
        text += f"/{variable['instance']}"
    return text


def entries_of(report: JsonMapping) -> list[JsonObject]:
    """A NotifyReport's variables as {key, value, readonly}: their actual values."""
    found = []
    for row in report.get("reportData") or ():
        for attribute in row.get("variableAttribute") or ():
            if attribute.get("type", "Actual") != "Actual":
                continue
            value = attribute.get("value")
            found.append(
                {
                    "key": name_of(row["component"], row["variable"]),
                    "value": None if value is None else str(value),
                    "readonly": attribute.get("mutability") == "ReadOnly",
                }
            )
    return found
