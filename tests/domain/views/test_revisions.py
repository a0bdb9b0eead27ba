"""Who changes how a version shows what is stored raises the version's revision: only then are the
views made anew that stores hold already.

Each object of the three texts, and each odd one, is in each version held against the fingerprint
that was written down with the revision. `python -m tests.domain.views.test_revisions` writes them
down: new objects always, changed ones only with a raised revision.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from hashlib import sha256
from pathlib import Path
from typing import Any, TypedDict

import orjson
import pytest

from domain.versions import VERSIONS, Context, ObjectKind, OcpiVersion, Party, Unconvertible
from tests.cpo_app.ocpi.versions.test_spec_examples import CARD_HOLDER, OURS, examples
from tests.domain.schemas.samples import connector, evse, location
from tests.domain.views.odd_objects import odd_objects

KEPT = Path(__file__).parents[2] / "data" / "view_revisions.json"
TOKEN = {**CARD_HOLDER._asdict(), "uid": "U", "type": "RFID"}
AT = datetime(2024, 5, 1, 12, tzinfo=timezone.utc)


class Fingerprints(TypedDict):
    revision: int
    objects: dict[str, str]
    """by the object's name; "-" where the version cannot say it"""


def inner_objects() -> Iterator[tuple[str, ObjectKind, dict[str, Any]]]:
    context = Context(party=Party(**OURS), time_zone="Europe/Brussels")
    for number, version in VERSIONS.items():
        for place, (kind, data) in enumerate(examples(number)):
            theirs = Context(context.party, token=_token_of(data), time_zone=context.time_zone)
            yield f"{number}/{place}/{kind.value}", kind, version.read(kind, data, theirs).object
    yield from odd_objects()


def _token_of(data: Mapping[str, Any]) -> dict[str, Any]:
    return {**TOKEN, "contract_id": data.get("auth_id", "C")}


def shown(version: OcpiVersion) -> dict[str, str]:
    objects = list(inner_objects())
    place = location(evses=[evse(connectors=[connector(tariff_ids=["A", "C"])])])
    found: dict[str, str] = {}
    for name, kind, inner in objects:
        whole = {**place, "id": inner["location_id"]} if "location_id" in inner else None
        context = Context(location=whole, at=AT, choose_tariff=lambda ids: max(ids, default=None))
        try:
            made = version.render(kind, inner, context).object
        except Unconvertible:
            found[name] = "-"
        else:
            as_text = orjson.dumps(made, option=orjson.OPT_SORT_KEYS)
            found[name] = sha256(as_text).hexdigest()[:16]
    return found


def written_down() -> dict[str, Fingerprints]:
    kept: dict[str, Fingerprints] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    return kept


def changed(kept: Fingerprints, now: Mapping[str, str]) -> list[str]:
    return [name for name, print_ in kept["objects"].items() if now.get(name, print_) != print_]


@pytest.mark.parametrize("number", VERSIONS)
def test_a_version_shows_each_object_as_its_revision_did(number: str) -> None:
    version, kept = VERSIONS[number], written_down()[number]
    now = shown(version)
    others = changed(kept, now)
    assert not others or version.revision > kept["revision"], (
        f"OCPI {number} shows {', '.join(others[:5])} otherwise than before: raise its revision "
        "in version.py, so that stores make their views anew"
    )
    assert (version.revision, now) == (kept["revision"], kept["objects"]), (
        "write the fingerprints down: python -m tests.domain.views.test_revisions"
    )


def test_what_has_changed_is_not_written_down_under_the_same_revision() -> None:
    kept = written_down()["2.1.1"]
    name = next(iter(kept["objects"]))
    assert changed(kept, {**kept["objects"], name: "another"}) == [name]
    with pytest.raises(SystemExit, match="raise its revision"):
        renewed("2.1.1", {**kept, "objects": {**kept["objects"], name: "another"}})


def renewed(number: str, kept: Fingerprints | None) -> Fingerprints:
    version = VERSIONS[number]
    now = shown(version)
    if kept is not None and version.revision <= kept["revision"] and changed(kept, now):
        raise SystemExit(f"OCPI {number} shows some objects otherwise: raise its revision first")
    return {"revision": version.revision, "objects": now}


def write_down() -> None:
    kept = written_down()
    made = {number: renewed(number, kept.get(number)) for number in VERSIONS}
    KEPT.write_text(json.dumps(made, indent=1) + "\n")
    sys.stdout.write(f"{KEPT.name}: {sum(len(one['objects']) for one in made.values())} objects\n")


if __name__ == "__main__":
    write_down()
