"""Our ids as OCPP takes them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.ocpp import ids

_UIDS = st.text("ABCDEFabcdef0123456789-", min_size=1, max_size=36)


@given(_UIDS)
def test_a_tag_fits_and_is_the_uid_where_that_does(uid: str) -> None:
    tag = ids.id_tag(uid)
    assert 1 <= len(tag) <= ids.MAX_ID_TAG
    assert (tag == uid) is (len(uid) <= ids.MAX_ID_TAG)


@given(_UIDS)
def test_a_tag_is_the_same_however_the_uid_is_written(uid: str) -> None:
    tags = {ids.folded_tag(ids.id_tag(one)) for one in (uid, uid.upper(), uid.lower())}
    assert len(tags) == 1


def test_two_long_uids_have_two_tags() -> None:
    uids = [f"aabbccdd-0000-4000-8000-{n:012}" for n in range(200)]
    assert len({ids.id_tag(uid) for uid in uids}) == len(uids)


@given(st.text(min_size=1, max_size=40))
def test_numbers_fit_what_charge_points_keep(text: str) -> None:
    for number in (ids.remote_start_id(text), ids.reservation_number(text), ids.profile_id(text)):
        assert 1 <= number < 2**31


def test_numbers_stay_what_they_are_after_an_upgrade() -> None:
    """A charge point holds them over ours: another derivation would orphan what is there."""
    assert ids.remote_start_id("session-1") == 1863890610
    assert ids.reservation_number("R-1") == 347903731
    assert ids.profile_id("session-1") == 1750337306
    assert ids.id_tag("aabbccdd-0000-4000-8000-000000000001") == "X7CGQRP2SJ4WPTKP7YOR"


def test_what_a_reader_read_and_what_an_app_asked_for_differ() -> None:
    assert ids.id_token_type("RFID") == "ISO14443"
    assert ids.id_token_type("APP_USER") == "Central"
    assert ids.id_token_type(None) == "Central"
