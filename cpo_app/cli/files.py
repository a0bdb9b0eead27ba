"""Reading what a person names on the command line: JSON files, gzipped or not."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import Any

import orjson

from cpo_app.cli.errors import CliError


def read_json(path: Path) -> Any:
    """The JSON in a file, gzipped or not; raises CliError that says what is wrong."""
    try:
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise CliError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    try:
        return orjson.loads(content.removeprefix(b"\xef\xbb\xbf"))
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
