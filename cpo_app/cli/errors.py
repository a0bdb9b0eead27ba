"""What a command raises when it cannot do what was asked: its text is all that is shown."""

from __future__ import annotations


class CliError(Exception):
    """One clear line for the person at the terminal."""
