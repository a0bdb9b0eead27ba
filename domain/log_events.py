"""Lines of log that say who did what: a sentence for people, with the event's name and its ids and
figures as keys of their own for machines (cpo_app/logs.py writes both).

    log_event(logger, "cdr.delivered", "CDR %s is delivered", cdr_id, cdr_id=cdr_id, peer_id=peer)
    tx.say(event(logger, "cdr.made", cdr_id=cdr_id), "CDR %s is made", cdr_id)    # once committed

No name of a driver, no card, no token is among them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial


def log_event(
    logger: logging.Logger,
    name: str,
    text: str,
    /,
    *values: object,
    level: int = logging.INFO,
    **facts: object,
) -> None:
    """Log it now; facts that are None are none."""
    known = {key: value for key, value in facts.items() if value is not None}
    logger.log(level, text, *values, extra={"event": name, "facts": known})


def event(logger: logging.Logger, name: str, /, **facts: object) -> Callable[..., None]:
    """The same for `tx.say`, which takes text and values."""
    return partial(_log, logger, name, facts)


def _log(
    logger: logging.Logger, name: str, facts: dict[str, object], text: str, *values: object
) -> None:
    known = {key: value for key, value in facts.items() if value is not None}
    logger.info(text, *values, extra={"event": name, "facts": known})
