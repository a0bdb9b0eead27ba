"""Processes of the product without the seconds that their imports take (server.py says how).

What is forked has all of the product imported: that a command imports what it needs, real processes
show (tests/test_compose.py, tests/e2e/test_up.py, tests/cpo_app/cli/test_start_up.py).
"""

from tests.forks.process import Fork, close, forked, ran, talking

__all__ = ["Fork", "close", "forked", "ran", "talking"]
