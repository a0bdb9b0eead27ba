"""A response body gathered up to a limit, also when it is compressed.

A few kilobytes of gzip can unfold into gigabytes: unpacking stops at the limit, before the
rest is made. It never trusts Content-Length for more than refusing early.
"""

from __future__ import annotations

import zlib


class BodyTooLarge(Exception):
    """The body, as received or unpacked, goes beyond the limit."""


class BodyBroken(Exception):
    """The body is not what its Content-Encoding says, or ends in the middle of it."""


class BoundedBody:
    """Feed it the received chunks, then take `finish()`.

    limit_bytes holds for the received and for the unpacked body alike.
    """

    def __init__(self, content_encoding: str | None, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._received = 0
        self._chunks: list[bytes] = []
        self._length = 0
        encoding = (content_encoding or "identity").strip().lower()
        self._unpack: zlib._Decompress | None = None
        if encoding in ("gzip", "x-gzip", "deflate"):
            # + 32: zlib or gzip, whichever it turns out to be.
            self._unpack = zlib.decompressobj(zlib.MAX_WBITS + 32)
        elif encoding not in ("identity", ""):
            raise BodyBroken("an encoding that was not asked for")

    def feed(self, chunk: bytes) -> None:
        """Raises BodyTooLarge or BodyBroken."""
        self._received += len(chunk)
        if self._received > self._limit_bytes:
            raise BodyTooLarge
        if self._unpack is None:
            self._keep(chunk)
            return
        try:
            # One byte more than there may be tells "too large" from "just fits".
            self._keep(self._unpack.decompress(chunk, self._limit_bytes - self._length + 1))
        except zlib.error:
            raise BodyBroken("not the compression it claims") from None

    def finish(self) -> bytes:
        """The whole body, unpacked. Raises BodyTooLarge or BodyBroken."""
        if self._unpack is not None and self._received and not self._unpack.eof:
            raise BodyBroken("the compressed body is cut off")
        return b"".join(self._chunks)

    def _keep(self, data: bytes) -> None:
        self._length += len(data)
        if self._length > self._limit_bytes:
            raise BodyTooLarge
        self._chunks.append(data)
