"""An example of each object for the docs page, by the name of its schema."""

from __future__ import annotations

from db_interface.json_data import JsonObject

_AT = "2026-03-02T09:30:00Z"
_RESULTS = "https://emsp.example/ocpi/emsp/2.2.1/commands"
_CONNECTOR: JsonObject = {
    "id": "1",
    "standard": "IEC_62196_T2",
    "format": "SOCKET",
    "power_type": "AC_3_PHASE",
    "max_voltage": 230,
    "max_amperage": 32,
    "max_electric_power": 22000,
    "tariff_ids": ["DAY"],
    "last_updated": _AT,
}
_EVSE: JsonObject = {
    "uid": "CP-001-1",
    "evse_id": "NL*EVC*ECP001*1",
    "status": "AVAILABLE",
    "capabilities": ["REMOTE_START_STOP_CAPABLE", "RFID_READER", "UNLOCK_CAPABLE"],
    "connectors": [_CONNECTOR],
    "last_updated": _AT,
}
_TOKEN: JsonObject = {
    "country_code": "NL",
    "party_id": "EXM",
    "uid": "04E8C9A2B41C80",
    "type": "RFID",
    "contract_id": "NL-EXM-C12345678-X",
    "issuer": "Example eMSP",
    "valid": True,
    "whitelist": "ALLOWED",
    "last_updated": _AT,
}
_CDR_TOKEN: JsonObject = {
    name: _TOKEN[name] for name in ("country_code", "party_id", "uid", "type", "contract_id")
}
_TARIFF: JsonObject = {
    "country_code": "NL",
    "party_id": "EVC",
    "id": "DAY",
    "currency": "EUR",
    "elements": [
        {
            "price_components": [{"type": "ENERGY", "price": 0.35, "vat": 21, "step_size": 1}],
            "restrictions": {"start_time": "08:00", "end_time": "20:00"},
        },
        {"price_components": [{"type": "ENERGY", "price": 0.25, "vat": 21, "step_size": 1}]},
    ],
    "last_updated": _AT,
}
_PERIOD: JsonObject = {
    "start_date_time": "2026-03-02T08:30:00Z",
    "dimensions": [{"type": "ENERGY", "volume": 12.5}, {"type": "TIME", "volume": 1.0}],
    "tariff_id": "DAY",
}
_COST: JsonObject = {"excl_vat": 4.38, "incl_vat": 5.29}

EXAMPLES: dict[str, JsonObject] = {
    "Version": {"version": "2.2.1", "url": "https://cpo.example/ocpi/2.2.1/details"},
    "VersionDetails": {
        "version": "2.2.1",
        "endpoints": [
            {
                "identifier": "locations",
                "role": "SENDER",
                "url": "https://cpo.example/ocpi/cpo/2.2.1/locations",
            }
        ],
    },
    "Credentials": {
        "token": "9e80a9c4f9a84a2f9e80ae28906dd05b",
        "url": "https://emsp.example/ocpi/versions",
        "roles": [
            {
                "role": "EMSP",
                "country_code": "NL",
                "party_id": "EXM",
                "business_details": {"name": "Example eMSP"},
            }
        ],
    },
    "Location": {
        "country_code": "NL",
        "party_id": "EVC",
        "id": "CP-001",
        "publish": True,
        "address": "Stationsplein 1",
        "city": "Utrecht",
        "country": "NLD",
        "coordinates": {"latitude": "52.089444", "longitude": "5.110278"},
        "time_zone": "Europe/Amsterdam",
        "evses": [_EVSE],
        "last_updated": _AT,
    },
    "EVSE": _EVSE,
    "Connector": _CONNECTOR,
    "Session": {
        "country_code": "NL",
        "party_id": "EVC",
        "id": "8d3f1a40",
        "start_date_time": "2026-03-02T08:30:00Z",
        "kwh": 12.5,
        "cdr_token": _CDR_TOKEN,
        "auth_method": "COMMAND",
        "location_id": "CP-001",
        "evse_uid": "CP-001-1",
        "connector_id": "1",
        "currency": "EUR",
        "charging_periods": [_PERIOD],
        "total_cost": _COST,
        "status": "ACTIVE",
        "last_updated": _AT,
    },
    "CDR": {
        "country_code": "NL",
        "party_id": "EVC",
        "id": "8d3f1a40",
        "start_date_time": "2026-03-02T08:30:00Z",
        "end_date_time": "2026-03-02T09:30:00Z",
        "session_id": "8d3f1a40",
        "cdr_token": _CDR_TOKEN,
        "auth_method": "COMMAND",
        "cdr_location": {
            "id": "CP-001",
            "address": "Stationsplein 1",
            "city": "Utrecht",
            "country": "NLD",
            "coordinates": {"latitude": "52.089444", "longitude": "5.110278"},
            "evse_uid": "CP-001-1",
            "evse_id": "NL*EVC*ECP001*1",
            "connector_id": "1",
            "connector_standard": "IEC_62196_T2",
            "connector_format": "SOCKET",
            "connector_power_type": "AC_3_PHASE",
        },
        "currency": "EUR",
        "tariffs": [_TARIFF],
        "charging_periods": [_PERIOD],
        "total_cost": _COST,
        "total_energy": 12.5,
        "total_energy_cost": _COST,
        "total_time": 1.0,
        "last_updated": _AT,
    },
    "Tariff": _TARIFF,
    "Token": _TOKEN,
    "CommandResponse": {"result": "ACCEPTED", "timeout": 30},
    "StartSession": {
        "response_url": f"{_RESULTS}/START_SESSION/1",
        "token": _TOKEN,
        "location_id": "CP-001",
        "evse_uid": "CP-001-1",
    },
    "StopSession": {"response_url": f"{_RESULTS}/STOP_SESSION/2", "session_id": "8d3f1a40"},
    "ReserveNow": {
        "response_url": f"{_RESULTS}/RESERVE_NOW/3",
        "token": _TOKEN,
        "expiry_date": "2026-03-02T10:00:00Z",
        "reservation_id": "1",
        "location_id": "CP-001",
    },
    "CancelReservation": {
        "response_url": f"{_RESULTS}/CANCEL_RESERVATION/4",
        "reservation_id": "1",
    },
    "UnlockConnector": {
        "response_url": f"{_RESULTS}/UNLOCK_CONNECTOR/5",
        "location_id": "CP-001",
        "evse_uid": "CP-001-1",
        "connector_id": "1",
    },
    "ChargingPreferences": {"profile_type": "CHEAP", "departure_time": "2026-03-02T17:00:00Z"},
    "SetChargingProfile": {
        "charging_profile": {
            "charging_rate_unit": "W",
            "charging_profile_period": [{"start_period": 0, "limit": 11000.0}],
        },
        "response_url": "https://emsp.example/ocpi/emsp/2.2.1/chargingprofiles/1",
    },
    "ChargingProfileResponse": {"result": "ACCEPTED", "timeout": 30},
    "Terminal": {
        "terminal_id": "T-1",
        "customer_reference": "EVC-1",
        "city": "Utrecht",
        "invoice_creator": "PTP",
        "location_ids": ["CP-001"],
        "last_updated": _AT,
    },
    "FinancialAdviceConfirmation": {
        "id": "F-1",
        "authorization_reference": "A-1",
        "total_costs": _COST,
        "currency": "EUR",
        "eft_data": ["Card **** 1234", "Amount EUR 5.29"],
        "capture_status_code": "SUCCESS",
        "last_updated": _AT,
    },
    "ClientInfo": {
        "country_code": "NL",
        "party_id": "EXM",
        "role": "EMSP",
        "status": "CONNECTED",
        "last_updated": _AT,
    },
}
