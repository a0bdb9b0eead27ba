"""Which versions the platform offers is a setting; a wrong one is said in one line."""

from __future__ import annotations

import pytest

from cpo_app.ocpi.offered import offered_versions
from cpo_app.settings import SettingsError
from domain.versions import VERSIONS
from tests.settings_of import settings_of


def test_they_are_offered_lowest_first_whatever_the_order() -> None:
    named = " , ".join(reversed(list(VERSIONS)))
    offered = offered_versions(settings_of(CPO_OCPI_VERSIONS=named))
    assert [version.number for version in offered] == list(VERSIONS)


@pytest.mark.parametrize("wrong", ["", " , ", "2.2.1,2.9", "2.2", "latest"])
def test_what_is_no_version_is_refused_in_one_line(wrong: str) -> None:
    with pytest.raises(SettingsError, match=r"^CPO_OCPI_VERSIONS: .* 2\.2\.1") as refused:
        offered_versions(settings_of(CPO_OCPI_VERSIONS=wrong))
    assert "\n" not in str(refused.value)
