from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cpo_app.otlp.seen_spans import SeenSpans


@pytest.fixture
def seen() -> Iterator[SeenSpans]:
    spans = SeenSpans()
    with spans.kept():
        yield spans
