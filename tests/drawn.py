"""How many examples a property test draws: so many in the gate, which draws the same each time;
four times as many in `make test-random`, which draws new ones."""

from __future__ import annotations

from hypothesis import settings

BY_DEFAULT = 40

# No deadline: on a busy machine an example may take its time.
settings.register_profile("gate", max_examples=BY_DEFAULT, deadline=None, derandomize=True)
settings.register_profile("random", max_examples=4 * BY_DEFAULT, deadline=None)
settings.load_profile("gate")


def drawn(number: int) -> int:
    """For `max_examples` of a test that needs more, or fewer, than others."""
    return number * settings().max_examples // BY_DEFAULT
