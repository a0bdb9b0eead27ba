"""The operator's web pages."""

from cpo_app.console.console import Console
from cpo_app.console.router import build_console_router

__all__ = ["Console", "build_console_router"]
