"""The servers' settings for a test: what it gives and the environment, never a file `.env`."""

from __future__ import annotations

from collections.abc import Callable

from cpo_app.settings import Settings


def settings_of(**given: object) -> Settings:
    # pydantic's `_env_file` is not in the signature that it shows to type checkers.
    make: Callable[..., Settings] = Settings
    return make(_env_file=None, **given)
