"""The operator's API: /api/v1, its OpenAPI and its docs page."""

from cpo_app.api.app import build_api

__all__ = ["build_api"]
