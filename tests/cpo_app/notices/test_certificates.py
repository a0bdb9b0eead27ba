"""A certificate near its end is trouble until another file stands there."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from cpo_app.notices.certificates import certificate_sources
from domain.notices.certificates import RENEW_WITHIN
from domain.notices.troubles import Trouble
from tests.cpo_app.registry.pki import self_signed
from tests.settings_of import settings_of

NOW = datetime(2025, 5, 5, tzinfo=timezone.utc)


def found(path: Path) -> Sequence[Trouble]:
    settings = settings_of(CENTRAL_TLS_ENABLED=True, CENTRAL_TLS_CERT_FILE=str(path))
    (source,) = certificate_sources(settings, lambda: NOW)
    return asyncio.run(_look(source.look()))


async def _look(asked: object) -> Sequence[Trouble]:
    assert asyncio.iscoroutine(asked)
    troubles: Sequence[Trouble] = await asked
    return troubles


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (RENEW_WITHIN - timedelta(days=1), "ends on 2025-05-25"),
        (timedelta(days=-1), "ended on 2025-05-04"),
    ],
)
def test_it_is_told_before_and_after_its_end_until_it_is_renewed(
    tmp_path: Path, left: timedelta, said: str
) -> None:
    path = tmp_path / "central.crt"
    path.write_text(self_signed("central", NOW + left).certificate_pem)
    (trouble,) = found(path)
    assert trouble.id == "certificate_ends:CENTRAL_TLS_CERT_FILE"
    assert trouble.said == f"the certificate of CENTRAL_TLS_CERT_FILE {said}"
    path.write_text(self_signed("central", NOW + RENEW_WITHIN * 2).certificate_pem)
    assert found(path) == []


def test_a_file_that_cannot_be_read_is_no_all_clear(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        found(tmp_path / "gone.crt")


def test_a_process_without_tls_says_nothing_of_certificates() -> None:
    assert certificate_sources(settings_of(), lambda: NOW) == []
