"""OCPI objects of ours as the store keeps them: keys, audience, what they are found by."""

from __future__ import annotations

from db_interface.json_data import JsonMapping

OcpiObject = JsonMapping
"""The fields of an object of the OCPI specification, valid by its schema (domain.schemas)."""
