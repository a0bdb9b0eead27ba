"""A store that an earlier version left behind, put into a database of today's server."""

from __future__ import annotations

import gzip
import json
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from bson import json_util

from db_interface.database import Database

FOLDER = Path(__file__).parents[1] / "data" / "upgrade"
DISCARD = 9
"""A port at which no engine listens."""
_AWARE = json_util.JSONOptions(tz_aware=True, tzinfo=timezone.utc)
_PEERS = re.compile(r"http://127\.0\.0\.1:(?!8411/)\d+")


@dataclass(frozen=True)
class KeptStore:
    version: str

    @property
    def secrets(self) -> dict[str, str]:
        found: dict[str, str] = json.loads((FOLDER / self.version / "secrets.json").read_text())
        return found

    async def load(self, db: Database, peers_at: str, left: timedelta) -> None:
        """Put it there as if it had been left so long ago, with its peers at another address."""
        documents: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        with gzip.open(FOLDER / self.version / "store.jsonl.gz", "rt") as lines:
            for line in lines:
                name, document = json_util.loads(_PEERS.sub(peers_at, line), json_options=_AWARE)
                documents[name].append(document)
        latest = max(row["last_seen"] for row in documents["charge_points"])
        moved = datetime.now(timezone.utc) - left - latest
        for row in documents["charge_points"]:
            row["port"] = DISCARD
        for name, rows in documents.items():
            await db[name].insert_many([_later(row, moved) for row in rows])


def _later(value: Any, by: timedelta) -> Any:
    if isinstance(value, dict):
        return {name: _later(item, by) for name, item in value.items()}
    if isinstance(value, list):
        return [_later(item, by) for item in value]
    return value + by if isinstance(value, datetime) else value
