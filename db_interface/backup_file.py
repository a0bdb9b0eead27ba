"""The file of a backup: a manifest, batches of documents as the server keeps them, and an end that
proves that it is whole. Knows no collection's meaning.

gzip of BSON documents, one after the other:

    {"format": ..., ...}                          the manifest: the caller's facts
    {"collection": name, "documents": bytes}      BSON documents, one after the other; many of these
    {"end": {name: number}, "sha256": hex}        documents by collection; of all bytes before
"""

from __future__ import annotations

import gzip
import hashlib
import struct
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import bson
from bson.errors import InvalidBSON

from db_interface.json_data import JsonMapping, JsonObject

FORMAT = "ocpi-cpo-backup"
FORMAT_VERSION = 1
_LEVEL = 5
_MIN_RECORD, _MAX_RECORD = 5, 64 << 20


class BackupUnusable(Exception):
    """The file is no backup of ours, or not a whole one; which, in one line."""


@dataclass(frozen=True)
class Written:
    documents: Mapping[str, int]
    """By collection."""
    sha256: str


class BackupWriter:
    """Writes one backup: `begin`, then `add` as often as it takes, then `end`."""

    def __init__(self, file: BinaryIO) -> None:
        self._gzip = gzip.GzipFile(fileobj=file, mode="wb", compresslevel=_LEVEL, mtime=0)
        self._hash = hashlib.sha256()
        self._documents: Counter[str] = Counter()

    def begin(self, manifest: JsonMapping) -> None:
        self._write({"format": FORMAT, "format_version": FORMAT_VERSION, **manifest})

    def add(self, collection: str, documents: bytes) -> None:
        """BSON documents, one after the other."""
        self._documents[collection] += sum(1 for _ in _frames(documents))
        self._write({"collection": collection, "documents": documents})

    def end(self) -> Written:
        written = Written(dict(self._documents), self._hash.hexdigest())
        self._write({"end": written.documents, "sha256": written.sha256})
        self._gzip.close()
        return written

    def _write(self, record: JsonMapping) -> None:
        data = bson.encode(record)
        self._hash.update(data)
        self._gzip.write(data)


class BackupReader:
    """Reads one backup; whatever is wrong with the file is BackupUnusable."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._hash = hashlib.sha256()
        self._documents: Counter[str] = Counter()
        try:
            self._gzip = gzip.open(path, "rb")  # noqa: SIM115 (closed by __exit__)
        except OSError as error:
            raise BackupUnusable(f"{path}: {error.strerror}") from None
        try:
            self.manifest = self._first()
        except BaseException:
            self._gzip.close()
            raise

    def __enter__(self) -> BackupReader:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._gzip.close()

    def batches(self) -> Iterator[tuple[str, bytes]]:
        """(collection, BSON documents), to the end; then the file has proven to be whole."""
        while True:
            proven = self._hash.hexdigest()
            record = self._record()
            if "end" in record:
                break
            try:
                collection, documents = record["collection"], record["documents"]
                self._documents[collection] += sum(1 for _ in _frames(documents))
            except (KeyError, TypeError, ValueError):
                raise self._unusable("is damaged") from None
            yield collection, documents
        if record.get("sha256") != proven or record["end"] != dict(self._documents):
            raise self._unusable("is damaged: its contents do not match its checksum")
        if self._read(1):
            raise self._unusable("goes on after its end")

    def check(self) -> Written:
        """Read it to its end."""
        for _ in self.batches():
            pass
        return Written(dict(self._documents), self._hash.hexdigest())

    def _first(self) -> JsonObject:
        foreign = self._unusable("is no backup made by cpo backup")
        try:
            record = self._record()
        except BackupUnusable:
            raise foreign from None
        if record.get("format") != FORMAT:
            raise foreign
        if record.get("format_version") != FORMAT_VERSION:
            raise self._unusable("was made by a later version of this software")
        return record

    def _record(self) -> JsonObject:
        head = self._read(4)
        (length,) = struct.unpack("<i", head) if len(head) == 4 else (0,)
        if not _MIN_RECORD <= length <= _MAX_RECORD:
            raise self._unusable("is damaged" if length else "breaks off: it is not whole")
        data = head + self._read(length - 4)
        if len(data) < length:
            raise self._unusable("breaks off: it is not whole")
        self._hash.update(data)
        try:
            return bson.decode(data)
        except InvalidBSON:
            raise self._unusable("is damaged") from None

    def _read(self, size: int) -> bytes:
        try:
            return self._gzip.read(size)
        except EOFError:
            raise self._unusable("breaks off: it is not whole") from None
        except (OSError, zlib.error):
            raise self._unusable("is damaged, or no backup") from None

    def _unusable(self, why: str) -> BackupUnusable:
        return BackupUnusable(f"{self._path}: {why}")


def _frames(documents: bytes) -> Iterator[bytes]:
    """The single BSON documents. Raises ValueError where their lengths do not add up."""
    at = 0
    while at < len(documents):
        length = int.from_bytes(documents[at : at + 4], "little", signed=True)
        if not _MIN_RECORD <= length <= len(documents) - at:
            raise ValueError("a document's length is wrong")
        yield documents[at : at + length]
        at += length
