"""Which tariffs a session at a connector has: those that the connector names, else the default.

The session keeps the tariffs as they are when it is opened (mod_tariffs, Tariff): what is changed
or removed afterwards does not touch it. Which of them is in force is domain.pricing.choose_tariff's
to say, by the token and the driver's preferences.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from db_interface.owned_objects import fold
from db_interface.transaction import Tx
from domain.objects import OcpiObject
from domain.platform_facts import default_tariff
from domain.pricing import PricingInputError, choose_tariff, compile_tariff
from domain.rendered import Rendered

logger = logging.getLogger("cpo.sessions")

_AD_HOC = "AD_HOC_USER"


async def tariffs_of(
    tx: Tx, connector: OcpiObject, country_code: str, party_id: str
) -> list[OcpiObject]:
    """The connector's tariffs in the order of its tariff_ids; none of them there: the default.

    `country_code`, `party_id`: the party of ours whose tariffs are meant. One that cannot be
    priced is left out, with a warning in the log.
    """
    found = await _named(tx, connector.get("tariff_ids") or (), country_code, party_id)
    if not found:
        default = await default_tariff(tx)
        found = await _named(tx, [default] if default else (), country_code, party_id)
    return found


def in_force(
    tariffs: Sequence[OcpiObject],
    at: datetime,
    token: OcpiObject,
    preferences: OcpiObject | None = None,
) -> str | None:
    """The id of the tariff that prices the session of a token from `at` on; None: there is none.

    A token of type AD_HOC_USER pays at the charge point.
    """
    chosen = choose_tariff(
        tariffs,
        at,
        ad_hoc=token.get("type") == _AD_HOC,
        profile=(preferences or {}).get("profile_type"),
    )
    return None if chosen is None else chosen["id"]


async def _named(
    tx: Tx, tariff_ids: Sequence[str], country_code: str, party_id: str
) -> list[OcpiObject]:
    found: list[OcpiObject] = []
    for tariff_id in tariff_ids:
        key = fold(country_code, party_id, tariff_id)
        document = await tx.store.objects("tariffs").document(key, tx)
        if document is None:
            tx.say(
                logger.warning, "tariff %s of %s/%s: not there", tariff_id, country_code, party_id
            )
            continue
        tariff = Rendered(document["raw"]).plain()
        try:
            compile_tariff(tariff)
        except PricingInputError as error:
            tx.say(logger.warning, "tariff %s is not used: %s", tariff_id, error)
            continue
        found.append(tariff)
    return found
