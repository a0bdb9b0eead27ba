"""Reading what a person names on the command line: JSON files, gzipped or not."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from cpo_app.cli.errors import CliError

MAX_JSON_BYTES = 32_000_000
"""Of a file that is read as one piece, unpacked; imports stream theirs."""
_BOM = b"\xef\xbb\xbf"


@contextmanager
def opened(path: Path) -> Iterator[io.BufferedIOBase]:
    """The file's content from its first byte, unpacked as it is read, without a byte order mark.

    Raises CliError, also for what goes wrong while it is read.
    """
    try:
        with path.open("rb") as file:
            packed = file.peek(2)[:2] == b"\x1f\x8b"
            # Not `gzip.decompress`: a small file may unpack to any size.
            content = io.BufferedReader(gzip.GzipFile(fileobj=file)) if packed else file
            if content.peek(3)[:3] == _BOM:
                content.read(3)
            yield content
    except (OSError, EOFError, zlib.error) as error:
        raise CliError(f"{path}: {getattr(error, 'strerror', None) or error}") from error


def read_json(path: Path) -> Any:
    """The JSON in a file, gzipped or not; raises CliError that says what is wrong."""
    with opened(path) as file:
        content = file.read(MAX_JSON_BYTES + 1)
    if len(content) > MAX_JSON_BYTES:
        raise CliError(f"{path}: holds more than {MAX_JSON_BYTES // 1_000_000} MB")
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise CliError(f"{path}: not valid JSON: {error}") from error


def party_of(text: str | None) -> tuple[str, str] | None:
    """CC/PID as a pair; raises CliError."""
    if text is None:
        return None
    country_code, _, party_id = text.partition("/")
    if len(country_code) != 2 or len(party_id) != 3 or not (country_code + party_id).isalnum():
        raise CliError(f"--party {text}: is not of the form CC/PID, as NL/EVC")
    return country_code.upper(), party_id.upper()
