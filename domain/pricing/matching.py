"""Which price components apply at a moment of a session: the first matching element per dimension.

"Only one Price Component per dimension can be active at any point in time" (mod_tariffs, Tariff
object); elements with a reservation restriction price reservations and nothing else. Equal
situations are matched once. Nothing here knows amounts.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from domain.pricing.component import ENERGY, FLAT, PARKING_TIME, TIME, Component
from domain.pricing.local_time import LocalClock
from domain.pricing.periods import Period
from domain.pricing.restrictions import (
    RESERVATION,
    RESERVATION_EXPIRES,
    Measured,
    Moment,
    Restrictions,
)
from domain.pricing.tariff import CompiledTariff, Element


class Active(NamedTuple):
    """The components that apply in a piece; those for quantities it has none of are None."""

    flat: Component | None = None
    energy: Component | None = None
    time: Component | None = None
    parking: Component | None = None
    reservation_flat: Component | None = None
    reservation_time: Component | None = None


# What a piece needs a component for, as bits in the order of `Active`.
WANT_FLAT, WANT_ENERGY, WANT_TIME, WANT_PARKING = 1, 2, 4, 8
WANT_RESERVATION_FLAT, WANT_RESERVATION_TIME = 16, 32

NOTHING = Active()


class Conditions(NamedTuple):
    """Power and current in a period; equal `places` among the tariff's limits match alike."""

    power_kw: Measured | None
    current_a: Measured | None
    places: tuple[object, ...]


_UNASKED = Conditions(None, None, ())


def _places(limits: Sequence[Decimal], measured: Measured | None) -> tuple[int, int] | None:
    if measured is None:
        return None
    return bisect_right(limits, measured.lowest), bisect_right(limits, measured.highest)


_Candidates = tuple[tuple[Restrictions, Component], ...]


class Matcher:
    """One tariff against the moments of one session; equal situations are matched once."""

    def __init__(
        self,
        tariff: CompiledTariff,
        clock: LocalClock,
        reserved_us: int,
        began_us: int,
        expired: bool,
    ) -> None:
        self.limits_ukwh = tariff.energy_limits_ukwh
        self._tariff = tariff
        self._clock = clock
        self._reserved_us = reserved_us
        self._began_us = began_us
        bounds = set(clock.boundaries(tariff.minutes))
        for origin in (reserved_us, began_us):
            bounds |= {origin + duration for duration in tariff.durations_us}
        self.bounds = sorted(bounds)
        session = [e for e in tariff.elements if e.restrictions.reservation is None]
        # An expired reservation is priced by RESERVATION_EXPIRES, and by RESERVATION for what
        # that leaves open (mod_tariffs, ReservationRestrictionType and tariff example 17).
        kinds = (RESERVATION_EXPIRES, RESERVATION) if expired else (RESERVATION,)
        reservation = [
            e for kind in kinds for e in tariff.elements if e.restrictions.reservation == kind
        ]
        self._candidates: tuple[_Candidates, ...] = (
            *(_having(dimension, session) for dimension in (FLAT, ENERGY, TIME, PARKING_TIME)),
            *(_having(dimension, reservation) for dimension in (FLAT, TIME)),
        )
        self._known: dict[tuple[int, int, object, int], Active] = {}

    def conditions(self, period: Period) -> Conditions:
        """Power and current in a period, as far as the tariff asks for them."""
        powers, currents = self._tariff.power_limits_kw, self._tariff.current_limits_a
        if not powers and not currents:
            return _UNASKED
        power = period.power_kw() if powers else None
        current = period.current_a() if currents else None
        return Conditions(power, current, (_places(powers, power), _places(currents, current)))

    def active(
        self,
        at_us: int,
        segment: int,
        used_ukwh: int,
        conditions: Conditions,
        wanted: int,
    ) -> Active:
        """The components for what is `wanted`; `segment` is the index of the next bound."""
        place = bisect_right(self.limits_ukwh, used_ukwh) if self.limits_ukwh else 0
        key = (segment, place, conditions.places, wanted)
        known = self._known.get(key)
        if known is None:
            day, minute = self._clock.day_and_minute(at_us)
            moment = Moment(
                day,
                minute,
                at_us - self._began_us,
                used_ukwh,
                conditions.power_kw,
                conditions.current_a,
            )
            reserved = moment._replace(duration_us=at_us - self._reserved_us)
            known = self._known[key] = Active(
                *(
                    _first(candidates, reserved if n > 3 else moment) if wanted >> n & 1 else None
                    for n, candidates in enumerate(self._candidates)
                )
            )
        return known


def _having(dimension: str, elements: Sequence[Element]) -> _Candidates:
    return tuple(
        (element.restrictions, element.components[dimension])
        for element in elements
        if dimension in element.components
    )


def _first(candidates: _Candidates, moment: Moment) -> Component | None:
    """The component of the first element that matches (mod_tariffs, Tariff object)."""
    for restrictions, component in candidates:
        if restrictions.match(moment):
            return component
    return None
