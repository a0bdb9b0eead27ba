"""`cpo check`: is a CPO's OCPI interface as the text says? Read-only, fit for any CPO; receiver/
is the same for an eMSP's.

Each rule is a function with its section of the text; nothing here knows our own server.
"""

from cpo_app.conformance import lists, objects, transport, versions
from cpo_app.conformance.probe import Probe, Unusable
from cpo_app.conformance.rules import Finding, Rule, Verdict
from domain.versions import INNER_VERSION, OcpiVersion

RULES: tuple[Rule[Probe], ...] = (*versions.RULES, *transport.RULES, *lists.RULES, *objects.RULES)

__all__ = ["RULES", "Finding", "Probe", "Rule", "Unusable", "Verdict", "check"]


async def check(
    versions_url: str, token: str, version: OcpiVersion = INNER_VERSION
) -> list[Finding]:
    """Every rule's finding, in order. Raises Unusable when versions or details cannot be read."""
    async with Probe(versions_url, token, version) as probe:
        await probe.discover()
        await probe.demand_open_modules()
        return [await rule.judge(probe) for rule in RULES]
