"""The example's Authenticator: a list with one token."""

from __future__ import annotations

import os

from py_ocpi.core.authentication.authenticator import Authenticator


class ClientAuthenticator(Authenticator):
    @classmethod
    async def get_valid_token_c(cls) -> list[str]:
        return [os.environ["BENCH_TOKEN"]]

    @classmethod
    async def get_valid_token_a(cls) -> list[str]:
        return []
