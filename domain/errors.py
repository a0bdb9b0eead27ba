"""The whole error policy on one page: rooms raise these, one place answers them.

Each error names its OCPI status (status_codes of the OCPI text) and the HTTP status that the
OCPI text, or docs/ocpi.md where the text leaves room, gives it. The message goes to the peer:
it says what and where, and never holds a secret.
"""

from __future__ import annotations


class OcpiError(Exception):
    """A request that cannot be done; `str(error)` is the status_message for the peer."""

    http_status = 200
    status_code = 2000
    default = "Client error"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.default)


class InvalidParameters(OcpiError):
    """Valid JSON with wrong content, bad query parameters, ids unlike the URL's."""

    status_code = 2001
    default = "Invalid or missing parameters"


class MalformedJson(InvalidParameters):
    http_status = 400
    default = "The body is not valid JSON"


class NotAuthorized(OcpiError):
    """Credentials token missing, unknown, malformed, or not good for this module."""

    http_status = 401
    default = "The credentials token is missing or not known"


class NotFound(OcpiError):
    http_status = 404
    default = "There is no such object"


class UnknownLocation(NotFound):
    status_code = 2003
    default = "Unknown Location, EVSE or Connector"


class UnknownLocationInCommand(OcpiError):
    """The command arrived and was understood; only what it names does not exist."""

    status_code = 2003
    default = "Unknown Location"


class UnknownToken(NotFound):
    status_code = 2004
    default = "Unknown Token"


class UnknownParty(NotFound):
    """A request in the name of, or addressed to, a party that is not there for this peer."""

    status_code = 2001
    default = "Unknown party"


class MethodNotAllowed(OcpiError):
    http_status = 405
    default = "Method not allowed"


class BodyTooLarge(OcpiError):
    http_status = 413
    status_code = 2001
    default = "The body is too large"


class UnableToUseClientApi(OcpiError):
    status_code = 3001
    default = "Unable to use the client's API"


class UnsupportedVersion(OcpiError):
    status_code = 3002
    default = "Unsupported version"


class NoMatchingEndpoints(OcpiError):
    status_code = 3003
    default = "Expected endpoints are missing between the parties"


class TooManyRequests(OcpiError):
    """For now no more is done for whoever asks; nothing was looked up or changed."""

    http_status = 429
    default = "Too many requests"

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class StoreDown(OcpiError):
    """The database does not answer: the peer is to try again later."""

    http_status = 503
    status_code = 3000
    default = "The service is not ready; try again later"
