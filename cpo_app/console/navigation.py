"""What stands at the top of every page: the pages in their groups. Each with a table of its own
has a line here."""

from __future__ import annotations

from dataclasses import dataclass

from domain.operators.actor import Role


@dataclass(frozen=True)
class Page:
    """`needs`: who has not this role does not see it."""

    href: str
    name: str
    needs: Role = Role.VIEWER

    def holds(self, path: str) -> bool:
        """Whether that is the page, or one below it."""
        return path == self.href or path.startswith(f"{self.href}/")


@dataclass(frozen=True)
class Group:
    name: str
    pages: tuple[Page, ...]

    def holds(self, path: str) -> bool:
        return any(page.holds(path) for page in self.pages)


NAVIGATION = (
    Group(
        "Charging",
        (
            Page("/console/charge-points", "Charge points"),
            Page("/console/stations", "Stations"),
            Page("/console/locations", "Locations"),
            Page("/console/sessions", "Sessions"),
            Page("/console/reservations", "Reservations"),
            Page("/console/commands", "Commands"),
            Page("/console/tariffs", "Tariffs"),
        ),
    ),
    Group(
        "Roaming",
        (
            Page("/console/peers", "Peers"),
            Page("/console/cdrs", "CDRs"),
            Page("/console/tokens", "Cards"),
            Page("/console/exchanges", "Exchanges", Role.OPERATOR),
            Page("/console/open-data", "Open data"),
        ),
    ),
    Group(
        "Operation",
        (
            Page("/console/notices", "Notices"),
            Page("/console/money", "Money"),
            Page("/console/reconciliation", "Reconciliation"),
            Page("/audit", "Audit log"),
            Page("/console/operators", "Operators", Role.ADMIN),
            Page("/console/kafka", "Kafka"),
            Page("/console/platform", "Platform"),
        ),
    ),
)
