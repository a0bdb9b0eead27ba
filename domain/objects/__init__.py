"""OCPI objects of ours as the store keeps them: keys, audience, what they are found by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OcpiObject = Mapping[str, Any]
"""The fields of an object of the OCPI specification, valid by its schema (domain.schemas)."""
