"""JSON as plain Python data, where nothing is said of what it holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

JsonObject = dict[str, Any]
"""A JSON object that its holder may change."""
JsonMapping = Mapping[str, Any]
"""A JSON object that is only read."""
