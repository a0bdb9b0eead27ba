"""The command `cpo`. Results go to stdout, everything else to stderr; an error is one line."""

from cpo_app.cli.app import main

__all__ = ["main"]
