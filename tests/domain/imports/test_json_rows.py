"""Objects out of files of any size: what is recognised, what is refused, and in how much memory."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from domain.imports.json_rows import MAX_OBJECT_BYTES, NotOcpi, printable, rows_of


def rows(content: bytes) -> list[Any]:
    return list(rows_of(lambda: io.BytesIO(content), "locations"))


@pytest.mark.parametrize(
    "content",
    [
        b'[{"id": "A", "n": 1.5}, {"id": "B"}]',
        b'{"data": [{"id": "A", "n": 1.5}, {"id": "B"}], "status_code": 1000}',
        b'{"status_code": 1000, "timestamp": "x", "data": [{"id": "A", "n": 1.5}, {"id": "B"}]}',
    ],
)
def test_a_list_and_an_answer_hold_objects(content: bytes) -> None:
    assert rows(content) == [{"id": "A", "n": 1.5}, {"id": "B"}]


def test_numbers_come_as_json_has_them() -> None:
    (row,) = rows(b'[{"id": "A", "int": 7, "float": 7.0, "true": true, "null": null}]')
    assert [type(row[key]) for key in ("int", "float", "true", "null")] == [
        int,
        float,
        bool,
        type(None),
    ]


@pytest.mark.parametrize("content", [b'{"id": "A"}', b'{"data": {"id": "A"}}'])
def test_a_single_object_is_taken(content: bytes) -> None:
    assert rows(content) == [{"id": "A"}]


def test_an_empty_list_holds_nothing() -> None:
    assert rows(b"[]") == []


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (
            b'{"next": null, "items": [{"id": 1}]}',
            "this is not a list of OCPI locations; keys: next, items",
        ),
        (
            b'{"type": "FeatureCollection", "features": []}',
            "this is not a list of OCPI locations; keys: type, features",
        ),
        (b"{}", "this is not a list of OCPI locations; keys: none"),
        (
            b'{"data": null, "status_code": 2001}',
            "this is not a list of OCPI locations; keys: data, status_code",
        ),
        (b"42", "this is neither an OCPI object, a list of locations, nor an OCPI answer"),
        (b'{"\\u001b[2J": 1}', "this is not a list of OCPI locations; keys: ?[2J"),
    ],
)
def test_a_foreign_envelope_is_recognised(content: bytes, complaint: str) -> None:
    with pytest.raises(NotOcpi) as refused:
        rows(content)
    assert str(refused.value) == complaint


@pytest.mark.parametrize(
    "content", [b"", b"not json", b'[{"id": "A"}', b"[1,]", b'[{"id": "\xff"}]', b"[NaN]"]
)
def test_what_is_no_json_is_said_in_one_line(content: bytes) -> None:
    with pytest.raises(NotOcpi) as refused:
        rows(content)
    assert str(refused.value).startswith("not valid JSON")
    assert "\n" not in str(refused.value)


def test_an_object_that_never_ends_is_given_up() -> None:
    bomb = b'[{"id": "' + b"A" * (MAX_OBJECT_BYTES + 200_000)
    with pytest.raises(NotOcpi, match="more than 16 MB"):
        rows(bomb)


def test_text_of_a_file_cannot_steer_the_terminal() -> None:
    assert printable("\x1b[31mred\n") == "?[31mred?"
    assert len(printable("x" * 1000)) == 200


MEASURED = """
import resource, sys
from pathlib import Path
from cpo_app.cli.files import opened
from domain.imports.json_rows import rows_of

path = Path(sys.argv[1])
next(rows_of(lambda: opened(path), "locations"))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
number = sum(1 for _ in rows_of(lambda: opened(path), "locations"))
print(number, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_file_is_never_in_memory_as_a_whole(tmp_path: Path) -> None:
    row = json.dumps({"id": "A", "evses": [{"uid": str(number)} for number in range(400)]}).encode()
    number = 4_000
    file = tmp_path / "many.json.gz"
    with gzip.open(file, "wb", compresslevel=1) as out:
        out.write(b"[" + b",".join([row] * number) + b"]")
    assert len(row) * number > 25_000_000

    measured = subprocess.run(
        [sys.executable, "-c", MEASURED, str(file)], capture_output=True, text=True, check=True
    )

    read, kilobytes = map(int, measured.stdout.split())
    assert read == number
    assert kilobytes < 8_000
