"""Examples of what the API is told and answers, for its docs; a test holds them against the truth.

Bodies are put together by the names of an action's parameters; answers of what is read stand by
their path.
"""

from __future__ import annotations

from collections.abc import Mapping

from cpo_app.actions.action import AnyAction
from db_interface.json_data import JsonObject

_AT = "2025-05-01T12:00:00.000Z"
_PEER = "peer-1a2b3c4d5e"
_SESSION = "40740212-f5f8-4bdc-b223-b2705246c9a0"
_COMMAND = "45c0e099-ed21-470d-9f5c-4a7afadc05c6"
_TARIFF = {
    "country_code": "NL",
    "party_id": "EVC",
    "id": "DAY",
    "currency": "EUR",
    "elements": [
        {"price_components": [{"type": "ENERGY", "price": 0.25, "vat": 21.0, "step_size": 1}]}
    ],
    "last_updated": _AT,
}

_LOCATION = {
    "country_code": "NL",
    "party_id": "EVC",
    "id": "LOC1",
    "publish": True,
    "address": "Stationsplein 1",
    "city": "Utrecht",
    "country": "NLD",
    "coordinates": {"latitude": "52.08900", "longitude": "5.11000"},
    "time_zone": "Europe/Amsterdam",
    "last_updated": _AT,
}

_CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBgzCCASmgAwIBAgIUC/gnheoISNwUj1x07xwL64gsYFYwCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMRXhhbXBsZSByb290MB4XDTI2MTEyMjAzMzIzM1oXDTM2MTEx
OTAzMzIzM1owFzEVMBMGA1UEAwwMRXhhbXBsZSByb290MFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAE3GkG/KRqX73DrUcW4CN1UCkYAbQr55pzMVC3o8OzYVCGU5Ol
lmmqzAUaUPIPzL9sGu9sj0+JdHAaWOPtaV4/GKNTMFEwHQYDVR0OBBYEFGhGDESa
LnSav+ej5iae3J/g99ATMB8GA1UdIwQYMBaAFGhGDESaLnSav+ej5iae3J/g99AT
MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgIa0Mdss3/gAuNLw8
4LyjU+YmpoySeNWa4Ki26N6GOGkCIQDIo5gFHppNW3xjdh7iDOYarYtXcwdl1ipw
SZeoQiZbvA==
-----END CERTIFICATE-----
"""

PARAMETERS: Mapping[str, object] = {
    "at": _AT,
    "cdr_id": "CDR-7",
    "certificate": _CERTIFICATE,
    "connector_id": "1",
    "cp_id": "CP-001",
    "energy_kwh": 8,
    "evse_uid": "CP-001",
    "expires": "90d",
    "group": "highway",
    "groups": ["highway"],
    "key": "ci",
    "config_key": "HeartbeatInterval",
    "config_value": "60",
    "letter_id": "CP-001/boot-1/7",
    "location_id": "LOC1",
    "location_ids": ["LOC1", "LOC2"],
    "message": "StatusNotification",
    "kinds": ["cdrs", "sessions"],
    "minutes": 30,
    "module": "locations",
    "modules": ["tokens:SENDER"],
    "name": "ci",
    "object_id": "LOC1",
    "objects": [_TARIFF],
    "on": True,
    "ocpp_action": "GetConfiguration",
    "operative": False,
    "operator": "ines",
    "parties": ["NL/TNM"],
    "log": "diagnostics",
    "payload": {"key": ["HeartbeatInterval"]},
    "peer_id": _PEER,
    "quirk": "slow_calls",
    "public_key": "-----BEGIN PUBLIC KEY-----\n...\n-----END PUBLIC KEY-----",
    "role": "operator",
    "session_id": _SESSION,
    "terminal_id": "T-1",
    "reference": "SN-0815",
    "serial_number": "0bf82785ea0848dc148f5c74ef1c0beb",
    "evse_uids": ["CP-001"],
    "tariff_id": "DAY",
    "tariff_ids": ["DAY"],
    "template": "our usual",
    "token": "the token A that it gave us",
    "uid": "04A1B2C3D4",
    "value": "on",
    "values": {"HeartbeatInterval": "60"},
    "versions_url": "https://emsp.example.org/ocpi/versions",
}
"""By the name of the parameter; those that are not here are left to the reader."""
OTHERWISE: Mapping[str, Mapping[str, object]] = {
    "events.resync": {"since": _AT},
    "peers.invite": {"name": "eMSP One"},
    "peers.quirk": {"name": "no_patch"},
    "peers.connect": {"name": "eMSP One"},
    "peers.add_access_point": {
        "name": "DOT-NL",
        "party": "NL/NDW",
        "locations_url": "https://nap.example.org/ocpi/emsp/2.2.1/locations",
        "tariffs_url": "https://nap.example.org/ocpi/emsp/2.2.1/tariffs",
        "token": "the token that it gave us",
    },
    "peers.release_party": {"party": "NL/TNM"},
    "peers.move_party": {"party": "NL/TNM"},
    "ocpp.firmware": {"location": "https://maker.example/fw.bin"},
    "operators.add": {"name": "ines"},
    "locations.import": {"objects": [_LOCATION]},
}
"""Where a name means something else in one action."""

_CDR = {
    "country_code": "NL",
    "party_id": "EVC",
    "id": "CDR-7",
    "session_id": _SESSION,
    "start_date_time": _AT,
    "end_date_time": "2025-05-01T13:00:00.000Z",
    "cdr_token": {
        "country_code": "NL",
        "party_id": "TNM",
        "uid": "…C3D4",
        "type": "RFID",
        "contract_id": "NL-TNM-C00000001",
    },
    "total_energy": 8.0,
    "total_cost": {"excl_vat": 2.0, "incl_vat": 2.42},
    "currency": "EUR",
    "last_updated": _AT,
}
_TERMINAL = {
    "terminal_id": "T-1",
    "reference": "SN-0815",
    "location_ids": ["LOC1"],
    "last_updated": _AT,
}
_CONFIRMATION = {
    "id": "F-1",
    "authorization_reference": "A-1",
    "total_costs": {"excl_vat": 4.0, "incl_vat": 4.84},
    "currency": "EUR",
    "eft_data": ["Card **** 1234"],
    "capture_status_code": "SUCCESS",
    "last_updated": _AT,
}
_SESSION_ROW = {
    "id": _SESSION,
    "cp_id": "CP-001",
    "connector_id": "1",
    "country_code": "NL",
    "party_id": "EVC",
    "status": "COMPLETED",
    "running": False,
    "auth_method": "WHITELIST",
    "created": _AT,
    "energy_wh": 8000.0,
}
_PEER_ROW = {
    "peer_id": _PEER,
    "name": "eMSP One",
    "status": "connected",
    "parties": ["NL/TNM EMSP"],
    "version": "2.2.1",
    "quirks": {"no_patch": True},
    "last_seen": _AT,
    "last_error": None,
}
_COMMAND_ROW = {
    "id": _COMMAND,
    "kind": "START_SESSION",
    "state": "CLOSED",
    "cp_id": "CP-001",
    "by": {"kind": "person", "name": "ines"},
    "session_id": _SESSION,
    "created": _AT,
    "result": {"result": "ACCEPTED"},
    "said": "ACCEPTED",
}
_CHARGE_POINT = {
    "id": "CP-001",
    "place": "Berlin",
    "status": "AVAILABLE",
    "state": "ACTIVATED",
    "operative": True,
    "last_seen": _AT,
    "session": None,
    "faults": [],
    "offered": True,
}
_STATION = {
    "id": "CP-007",
    "charge_points": ["CP-007", "CP-007-2"],
    "status": "APPROVED",
    "protocol": "ocpp1.6",
    "security_profile": 2,
    "vendor": "Acme",
    "model": "X1",
    "firmware": "1.4.2",
    "last_message_at": _AT,
    "connected": True,
}
_TOKEN = {**_CDR["cdr_token"], "issuer": "eMSP One", "valid": True, "whitelist": "ALWAYS"}  # type: ignore[dict-item]
_EXCHANGE: JsonObject = {
    "id": "0196a2f4e40000000a1b2c",
    "at": _AT,
    "took_ms": 4.1,
    "direction": "in",
    "peer_id": _PEER,
    "address": "203.0.113.7",
    "module": "locations",
    "version": "2.2.1",
    "method": "GET",
    "url": "/ocpi/cpo/2.2.1/locations/LOC9",
    "status": 404,
    "ocpi_status": 2003,
    "outcome": "refused",
    "error": None,
    "request_id": "8a0c",
    "correlation_id": "ticket-7",
    "objects": ["LOC9"],
    "request_size": 0,
    "response_size": 20,
}
_RESERVATION = {
    "id": "R-0123456789abcdef0123456789abcd",
    "peer_id": _PEER,
    "status": "ACTIVE",
    "active": True,
    "cp_id": "CP-001",
    "expiry_date": "2025-05-01T12:30:00.000Z",
    "created": _AT,
}
_WORD = {
    "evse_uid": "CP-001",
    "connector_id": None,
    "tariff_ids": ["DAY"],
    "by": "ines",
    "at": _AT,
}


def _page(row: JsonObject, following: object = None) -> JsonObject:
    return {"items": [row], "next": following}


FILE: JsonObject = {
    "file_id": "5f0c2b7e9d1a4c63b8e0f7a2d4c6e8b0",
    "name": "firmware-2.1.bin",
    "size": 4194304,
    "sha256": "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c",
}
READ: Mapping[str, JsonObject] = {
    "/charge-points": _page(_CHARGE_POINT, "CP-001"),
    "/charge-points/{cp_id}": _CHARGE_POINT,
    "/charge-points/{cp_id}/messages": _page(
        {
            "station": "CP-007",
            "at": _AT,
            "n": 12,
            "from_us": False,
            "kind": "CALL",
            "action": "StatusNotification",
            "message_id": "1207",
            "content": '{"connectorId":1,"errorCode":"NoError","status":"Available"}',
        }
    ),
    "/charge-points/{cp_id}/transactions": _page(
        {
            "transaction_id": 1890160885,
            "cp_id": "CP-007",
            "connector_id": "1",
            "state": "ended",
            "session_id": _SESSION,
            "nobodys": False,
            "first_heard": _AT,
            "started": _AT,
            "ended": _AT,
            "reason": "EVDisconnected",
            "energy_wh": 10000.0,
            "register_start_wh": 1000.0,
            "register_wh": 11000.0,
            "register_restarts": 0,
            "doubt": None,
            "dead_letters": [],
        }
    ),
    "/dead-letters": _page({"id": "CP-001/boot-1/7", "cp_id": "CP-001", "reason": "..."}),
    "/stations": _page(_STATION),
    "/ocpp-templates": _page(
        {
            "name": "our usual",
            "version": "1.6",
            "vendor": None,
            "model": None,
            "stations": [],
            "values": [{"key": "HeartbeatInterval", "value": "60"}],
            "updated": _AT,
        }
    ),
    "/sessions": _page(_SESSION_ROW, f"196a2f4e400-{_SESSION}"),
    "/sessions/{session_id}": _SESSION_ROW,
    "/money": {"items": [], "next": None, "unbilled_wh": 0.0},
    "/reservations": _page(_RESERVATION),
    "/reservations/{reservation_id}": _RESERVATION,
    "/commands": _page(_COMMAND_ROW),
    "/commands/{command_id}": _COMMAND_ROW,
    "/cdrs": _page(_CDR, 7),
    "/cdrs/{object_id}": _CDR,
    "/tariffs": _page(_TARIFF),
    "/tariffs/{object_id}": _TARIFF,
    "/tariffs/{object_id}/summary": {
        "tariff_id": "DAY",
        "party": "NL/EVC",
        "words": "0.25 €/kWh; plus 21 % VAT",
        "clauses": ["0.25 €/kWh", "plus 21 % VAT"],
        "last_updated": _AT,
        "used": {
            "locations": 1,
            "evses": 1,
            "connectors": 2,
            "first": [{"key": "nl/evc/loc1", "id": "LOC1", "name": "", "city": "Utrecht"}],
            "assigned_at": 0,
            "default": False,
            "running_sessions": 1,
        },
    },
    "/tariffs-default": {"tariff_id": "DAY"},
    "/tariffs-assigned": _page(
        {"key": "nl/evc/loc1", "location_id": "LOC1", "party": "NL/EVC", "assigned": [_WORD]}
    ),
    "/locations": _page(_LOCATION),
    "/locations/{object_id}": _LOCATION,
    "/locations/{object_id}/tariffs": {
        "connectors": [
            {
                "evse_uid": "CP-001",
                "connector_id": "1",
                "tariff_ids": ["DAY"],
                "source": "EVSE",
            }
        ],
        "assigned": [_WORD],
    },
    "/tokens": _page(_TOKEN),
    "/tokens/{object_id}": _TOKEN,
    "/peers": _page(_PEER_ROW),
    "/peers/{peer_id}": {**_PEER_ROW, "clients": []},
    "/terminals": _page({"key": "…", "peer_id": _PEER, "object": _TERMINAL}),
    "/financial-advice-confirmations": _page(
        {"key": "…", "peer_id": _PEER, "object": _CONFIRMATION}
    ),
    "/claims": _page({"party": "NL/TNM", "peer_id": _PEER, "since": _AT, "by": "operator"}),
    "/quirks": _page({"name": "no_patch", "usual": False}),
    "/operators": _page(
        {
            "name": "ines",
            "role": "operator",
            "disabled": False,
            "totp": True,
            "created": _AT,
            "last_login": _AT,
        }
    ),
    "/keys": _page(
        {
            "name": "ci",
            "prefix": "cpo_db46f322_",
            "role": "operator",
            "scopes": ["api"],
            "created": _AT,
            "expires": None,
            "ended": False,
            "last_used": _AT,
        }
    ),
    "/notices": {"open": [], "over": [], "targets": [], "watched": True},
    "/events": {
        "stream": {
            "since": _AT,
            "brokers": "kafka:9092",
            "sender": "cpo-1:4711:0f3a9c1e",
            "sender_gone_since": None,
            "backlog": 0,
            "backlog_is_more": False,
            "oldest": None,
            "failures": 0,
            "reason": None,
            "failing_since": None,
            "next_try": None,
            "last_sent": _AT,
            "put_off": [],
            "trouble": None,
        }
    },
    "/audit": _page(
        {
            "id": "0000000001-6edb730a",
            "at": _AT,
            "by": {"kind": "person", "name": "ines", "role": "operator"},
            "action": "peers.suspend",
            "about": [{"kind": "peer", "id": _PEER}],
            "before": {"status": "connected"},
            "after": {"status": "suspended"},
            "result": "done",
            "why": None,
            "correlation_id": "ticket-7",
            "seq": 42,
            "hash": "9f0c124e",
        }
    ),
    "/exchanges": _page(_EXCHANGE, _EXCHANGE["id"]),
    "/exchanges/{exchange_id}": {
        **_EXCHANGE,
        "request": {
            "headers": [{"name": "authorization", "value": "Token (redacted)"}],
            "body": None,
            "size": 0,
            "cut": False,
        },
        "response": {
            "headers": [{"name": "content-type", "value": "application/json"}],
            "body": '{"status_code":2003}',
            "size": 20,
            "cut": False,
        },
    },
    "/exchanges-har": {
        "log": {
            "version": "1.2",
            "creator": {"name": "ocpi-cpo-backend", "version": "1.0"},
            "entries": [],
        }
    },
    "/commands/{command_id}/way": {
        "command": _COMMAND_ROW,
        "correlation_id": "ticket-7",
        "session_id": _SESSION,
        "cdrs": [],
        "steps": [{"at": _AT, "what": "decided", "detail": "ACCEPTED"}],
    },
    "/settings": {
        "settings": {"CPO_PARTIES": "NL/EVC=Ours"},
        "from": {"CPO_PARTIES": "environment"},
        "changeable": [],
    },
    "/secrets": {"newest_key": "6d657914", "older_keys_given": 0, "older_keys_may_go": True},
    "/open-data/completeness": {
        "of": 120,
        "complete": 119,
        "lacking": {"owner": 1, "vehicle_types": 1},
        "items": [
            {
                "location": "LOC1",
                "evse_uid": "CP-001",
                "missing": ["owner", "vehicle_types"],
                "mend": ["owner", "parking"],
            }
        ],
    },
    "/backups": {"last": {"at": _AT, "made": _AT, "bytes": 21039, "documents": 187}},
    "/search": {
        "exact": True,
        "items": [{"kind": "charge point", "id": "CP-001", "said": "Amsterdam", "key": None}],
        "more": [],
    },
    "/me": {"kind": "key", "name": "ci", "role": "operator", "actions": ["peers.suspend"]},
}


def told(action: AnyAction) -> JsonObject:
    """Parameters that the action can be told: those that it needs, and some that it may be."""
    known = {**PARAMETERS, **OTHERWISE.get(action.name, {})}
    return {
        field.alias: known[field.alias]
        for field in action.parameters.__fields__.values()
        if field.alias in known
    }


def done(action: AnyAction) -> JsonObject:
    """What the action may answer."""
    answer = {name: value for name, value in told(action).items() if f"{{{name}}}" in action.path}
    if action.shows is not None:
        answer[action.shows] = "shown this once"
    return {**answer, "said": action.said()}
