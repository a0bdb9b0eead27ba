"""The library's Authenticator contract on our look-up of tokens.

Its own routes and websockets ask it; ours are let in by the gate. Apart from auth/, so that
processes that serve no OCPI do not load the library.
"""

from __future__ import annotations

from py_ocpi.core.authentication.authenticator import Authenticator
from py_ocpi.core.exceptions import AuthorizationOCPIError

from auth.authenticator import OcpiAuthenticator


class LibraryAuthenticator(Authenticator):
    """Hand it to the library as `lambda: LibraryAuthenticator(authenticator)`."""

    def __init__(self, authenticator: OcpiAuthenticator) -> None:
        self._authenticator = authenticator

    async def authenticate(self, auth_token: str) -> None:
        """Raise AuthorizationOCPIError unless it is a functional token."""
        if await self._authenticator.kind_of(auth_token) != "C":
            raise AuthorizationOCPIError

    async def authenticate_credentials(self, auth_token: str) -> str | dict[str, str] | None:
        """The token for kind C, {} for kind A, None for neither."""
        kind = await self._authenticator.kind_of(auth_token)
        if kind is None:
            return None
        return auth_token if kind == "C" else {}

    async def get_valid_token_c(self) -> list[str]:
        """Tokens are kept as hashes: there is no list to hand out."""
        return []

    async def get_valid_token_a(self) -> list[str]:
        return []
