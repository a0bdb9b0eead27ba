"""Whether what a partner gives back is what it was given: equal in meaning, not in letters."""

from __future__ import annotations

from db_interface.json_data import JsonMapping
from domain.times import parse_datetime

_IDS = ("uid", "id")


def difference(ours: object, theirs: object, path: str = "") -> str | None:
    """Where theirs does not say what ours says, in words; None: nowhere.

    What they have besides is theirs. Numbers, moments and the case of ids may be written otherwise;
    null and an empty list are the same as nothing.
    """
    if isinstance(ours, dict):
        return _in_object(ours, theirs, path)
    if isinstance(ours, list):
        return _in_list(ours, theirs, path)
    if ours == theirs or (isinstance(ours, str) and _same_text(ours, theirs)):
        return None
    if theirs is None:
        return f"{path} is missing"
    return f"{path} is {theirs!r:.60}, it was {ours!r:.60}"


def _in_object(ours: JsonMapping, theirs: object, path: str) -> str | None:
    if not isinstance(theirs, dict):
        return f"{path or 'data'} is not an object"
    for name, value in ours.items():
        found = difference(value, theirs.get(name), f"{path}.{name}" if path else name)
        if found is not None:
            return found
    return None


def _in_list(ours: list[object], theirs: object, path: str) -> str | None:
    if not ours and theirs is None:
        return None
    if not isinstance(theirs, list) or len(theirs) != len(ours):
        return f"{path} does not hold {len(ours)} elements"
    pairs = zip(sorted(ours, key=_id), sorted(theirs, key=_id), strict=True)
    return next(
        (
            found
            for number, (mine, its) in enumerate(pairs)
            if (found := difference(mine, its, f"{path}.{number}")) is not None
        ),
        None,
    )


def _id(value: object) -> str:
    """What an element is known by: only such lists may come in another order."""
    row = value if isinstance(value, dict) else {}
    return next((str(row[name]).lower() for name in _IDS if name in row), "")


def _same_text(ours: str, theirs: object) -> bool:
    if not isinstance(theirs, str):
        return False
    moment = _moment(ours)
    return ours.lower() == theirs.lower() or (moment is not None and moment == _moment(theirs))


def _moment(text: str) -> object:
    try:
        return parse_datetime(text)
    except ValueError:
        return None
