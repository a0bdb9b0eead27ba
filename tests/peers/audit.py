"""Names the rows of the library audit that a test holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Test = TypeVar("Test", bound=Callable[..., None])


def audit(*rows: str) -> Callable[[Test], Test]:
    """Mark a test with the audit's row ids ("F001"); the comparison reads them."""

    def mark(test: Test) -> Test:
        test.audit_rows = rows  # type: ignore[attr-defined]
        return test

    return mark
