"""Who acts at present: bound once at the door, found wherever the act is judged or written down.

    with acting_as(Actor(ActorKind.PERSON, "ines", Role.MONEY)):
        await credit_cdr(...)          # what it records says "ines"

A context variable, as the ids of log lines are: tasks that begin inside inherit it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum


class Role(str, Enum):
    """What a person or key may do; each may do whatever those before it may."""

    VIEWER = "viewer"  # sees everything, changes nothing
    OPERATOR = "operator"  # runs charge points, peers, sessions
    MONEY = "money"  # prices, ends, credits, releases what is billed
    ADMIN = "admin"  # people, keys, secrets, parties

    def includes(self, needed: Role) -> bool:
        """Whether this role may do what needs `needed`."""
        ladder = list(Role)
        return ladder.index(self) >= ladder.index(needed)


class ActorKind(str, Enum):
    """What kind of party acts."""

    PERSON = "person"
    KEY = "key"
    COMMAND_LINE = "command line"
    PEER = "peer"
    CHARGE_POINT = "charge point"
    JOB = "job"


@dataclass(frozen=True)
class Actor:
    """One who acts: `name` is the person's, the key's, the peer's id, the job's."""

    kind: ActorKind
    name: str
    role: Role | None = None

    def may(self, needed: Role) -> bool:
        """Whether his role lets him do what needs `needed`; who has no role may nothing."""
        return self.role is not None and self.role.includes(needed)


NOBODY = Actor(ActorKind.JOB, "unnamed")
_ACTING: ContextVar[Actor] = ContextVar("actor", default=NOBODY)


class _Acting(AbstractContextManager[None]):
    """No generator, which would cost every request as much again."""

    __slots__ = ("_actor", "_before")

    def __init__(self, actor: Actor) -> None:
        self._actor = actor

    def __enter__(self) -> None:
        self._before = _ACTING.set(self._actor)

    def __exit__(self, *_: object) -> None:
        _ACTING.reset(self._before)


def acting_as(actor: Actor) -> AbstractContextManager[None]:
    """Everything in the block is done by `actor`."""
    return _Acting(actor)


def current_actor() -> Actor:
    """Who acts; a job without a name where nobody was bound."""
    return _ACTING.get()
