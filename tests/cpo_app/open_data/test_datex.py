"""DATEX II over HTTP: what is published, as it is now, and told to whoever has it already."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from db_interface.database import Database
from domain.datex.statuses import STATUSES
from domain.datex.xml import NAMESPACES
from tests.conftest import Loop
from tests.cpo_app.open_data.test_whole_documents import Reader
from tests.domain.schemas.samples import connector, evse

TABLE, STATUS = "/open-data/datex/v3/table.xml", "/open-data/datex/v3/status.xml"
AEGI = "{" + NAMESPACES["aegi"] + "}"
COM = "{" + NAMESPACES["com"] + "}"
EVSE = evse(uid="1", connectors=[connector(tariff_ids=["T1", "CARD", "PAST"])])


@pytest.fixture
def reader(db: Database, loop: Loop) -> Reader:
    return Reader(db, loop, CPO_OPEN_DATA_PUBLISHER="NL-NAP-7", CPO_OPEN_DATA_LANGUAGE="nl")


def read(reader: Reader, path: str) -> ElementTree.Element:
    answer = reader.asks(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/xml")
    return ElementTree.fromstring(answer.content)


def sites(payload: ElementTree.Element) -> list[str]:
    return [one.attrib["id"] for one in payload.iter(f"{AEGI}energyInfrastructureSite")]


def test_the_table_has_what_is_published(reader: Reader) -> None:
    reader.publish_location("LOC1", evses=[EVSE])
    reader.publish_location("LOC2", evses=[EVSE])
    reader.publish_location("EMPTY")
    reader.publish_location("PRIVATE", private=True, evses=[EVSE])
    payload = read(reader, TABLE)
    assert sites(payload) == ["NL*EVC*LOC1", "NL*EVC*LOC2"]
    assert payload.attrib["lang"] == "nl"
    assert payload.findtext(f"{COM}publicationCreator/{COM}nationalIdentifier") == "NL-NAP-7"


def test_a_status_is_news_for_the_status_alone(reader: Reader) -> None:
    reader.publish_location("LOC1", evses=[EVSE])
    table, status = (reader.asks(path).headers["etag"] for path in (TABLE, STATUS))
    later = "2030-01-01T00:00:00Z"
    charging = {**EVSE, "status": "CHARGING", "last_updated": later}
    reader.publish_location("LOC1", evses=[charging], last_updated=later)
    assert reader.asks(TABLE, If_None_Match=table).status_code == 304
    assert reader.asks(STATUS, If_None_Match=status).status_code == 200
    payload = read(reader, STATUS)
    assert [one.text for one in payload.iter(f"{AEGI}status")] == ["charging"]
    (site,) = payload.iter(f"{AEGI}energyInfrastructureSiteStatus")
    version = next(read(reader, TABLE).iter(f"{AEGI}energyInfrastructureSite")).attrib["version"]
    assert site[0].attrib["version"] == version


def test_a_price_is_news_for_both(reader: Reader) -> None:
    reader.publish_location("LOC1", evses=[EVSE])
    assert not list(read(reader, TABLE).iter(f"{AEGI}energyRate"))
    reader.publish_tariff("T1")
    reader.publish_tariff("CARD", type="REGULAR")
    reader.publish_tariff("PAST", end_date_time="2020-01-01T00:00:00Z")
    for path, name in ((TABLE, "energyRate"), (STATUS, "energyRateUpdate")):
        (rate,) = read(reader, path).iter(f"{AEGI}{name}")
        assert [one.text for one in rate.iter(f"{AEGI}value")] == ["0.25"]


def test_the_same_as_json(reader: Reader) -> None:
    reader.publish_location("LOC1", evses=[EVSE])
    reader.publish_location("LOC2", evses=[EVSE])
    payload = reader.asks(TABLE.replace("xml", "json")).json()["payload"]
    (table,) = payload["aegiEnergyInfrastructureTablePublication"]["energyInfrastructureTable"]
    ids = [one["idG"] for one in table["energyInfrastructureSite"]]
    assert ids == ["NL*EVC*LOC1", "NL*EVC*LOC2"]
    (payload,) = reader.asks(STATUS.replace("xml", "json")).json()["messageContainer"]["payload"]
    publication = payload["aegiEnergyInfrastructureStatusPublication"]
    sites = publication["energyInfrastructureSiteStatus"]
    assert [one["reference"]["idG"] for one in sites] == ids


def test_a_location_that_cannot_be_written_keeps_back_no_other(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    reader.publish_location("GOOD", evses=[EVSE])
    reader.publish_location("BAD", evses=[{**EVSE, "status": "RESERVED"}])
    monkeypatch.delitem(STATUSES, "RESERVED")
    payload = read(reader, STATUS)
    (site,) = payload.iter(f"{AEGI}energyInfrastructureSiteStatus")
    assert site[0].attrib["id"] == "NL*EVC*GOOD"
    assert "left out of DATEX II: the location BAD" in caplog.text


def test_of_nothing_there_is_no_table(reader: Reader) -> None:
    answer = reader.asks(TABLE)
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
