"""`cpo check`: is a CPO's OCPI 2.2.1 interface as the text says? Read-only, fit for any CPO.

Each rule is a function with its section of the text; nothing here knows our own server.
"""

from cpo_app.conformance import lists, objects, transport, versions
from cpo_app.conformance.probe import Probe, Unusable
from cpo_app.conformance.rules import Finding, Rule, Verdict

RULES: tuple[Rule, ...] = (*versions.RULES, *transport.RULES, *lists.RULES, *objects.RULES)

__all__ = ["RULES", "Finding", "Probe", "Rule", "Unusable", "Verdict", "check"]


async def check(versions_url: str, token: str) -> list[Finding]:
    """Every rule's finding, in order. Raises Unusable when versions or details cannot be read."""
    async with Probe(versions_url, token) as probe:
        await probe.discover()
        await probe.demand_open_modules()
        return [await rule.judge(probe) for rule in RULES]
