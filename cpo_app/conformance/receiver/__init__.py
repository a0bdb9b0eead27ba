"""`cpo check --role emsp`: does an eMSP take what a CPO pushes as the text says?

It is sent test objects (specimens.py) that are taken back in the end, whatever happens in between.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from cpo_app.conformance import lists, transport, versions
from cpo_app.conformance.probe import Probe
from cpo_app.conformance.receiver import answers, cdrs, objects, parts
from cpo_app.conformance.receiver.partner import Partner
from cpo_app.conformance.rules import Finding, Rule, Verdict
from domain.versions import INNER_VERSION, OcpiVersion

READING: tuple[Rule[Probe], ...] = (*versions.RULES, *transport.RULES, *lists.rules_of("tokens"))
WRITING: dict[str, tuple[Rule[Partner], ...]] = {
    "locations": (*objects.LOCATIONS, *parts.PARTS),
    "tariffs": (*objects.TARIFFS, *parts.DELETION),
    "sessions": (*objects.SESSIONS, *parts.END),
    "cdrs": cdrs.RULES,
    "answers": answers.RULES,
}
"""By module, so that one can be left out."""
FORGET_WITHIN_S = 60.0

__all__ = ["READING", "WRITING", "check_emsp"]


async def check_emsp(
    versions_url: str,
    token: str,
    party: tuple[str, str],
    *,
    version: OcpiVersion = INNER_VERSION,
    leave_out: Collection[str] = (),
) -> list[Finding]:
    """Every rule's finding, in order. `party` is the CPO's that the token was given to.

    Raises Unusable when versions or details cannot be read. However it ends, what was sent is
    taken back first.
    """
    async with Partner(versions_url, token, party, version) as partner:
        await partner.discover()
        try:
            found = [await rule.judge(partner) for rule in READING]
            for module, rules in WRITING.items():
                if module not in leave_out:
                    found += [await rule.judge(partner) for rule in rules]
        finally:
            # Its own task: who breaks the check off does not break this off with it.
            forgetting = asyncio.create_task(partner.forget())
            await asyncio.wait([forgetting], timeout=FORGET_WITHIN_S)
            if not forgetting.cancel():
                forgetting.result()
        return [*found, _of_removal(partner)]


def _of_removal(partner: Partner) -> Finding:
    text, section = "What was sent is removed again", "mod_locations, mod_tariffs, mod_sessions"
    if partner.left:
        return Finding(text, section, Verdict.failed, "; ".join(partner.left))
    stays = "the CDRs stay: the text knows no way to take one back" if partner.sent else ""
    return Finding(text, section, Verdict.passed, stays if partner.of("cdrs").taken else "")
