"""What a version says just so is seen to be so, of the whole and of each of its parts."""

from __future__ import annotations

from db_interface.json_data import JsonObject
from domain.schemas import Location, validate
from domain.versions import NO_CONTEXT, VERSIONS, ObjectKind
from tests.domain.schemas import samples

LATER = VERSIONS["2.3.0"]


def location() -> JsonObject:
    return validate(Location, samples.location(evses=[samples.evse(), samples.evse(uid="2")]))


def test_an_object_that_stays_is_not_looked_at_part_by_part() -> None:
    given = location()
    rendered = LATER.render(ObjectKind.LOCATION, given, NO_CONTEXT)
    assert rendered.object == given
    assert rendered.object["evses"] is given["evses"]
    assert not rendered.losses


def test_of_one_that_does_not_stay_the_parts_that_do_are_kept_as_they_are() -> None:
    given = location()
    first, second = given["evses"]
    odd = {**second, "of_ours": 1}
    rendered = LATER.render(ObjectKind.LOCATION, {**given, "evses": [first, odd]}, NO_CONTEXT)
    kept, fitted = rendered.object["evses"]
    assert kept is first
    assert fitted == second
    assert [loss.path for loss in rendered.losses] == ["evses.1.of_ours"]
    assert odd["of_ours"] == 1, "what was given is not touched"
