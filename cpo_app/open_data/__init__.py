"""Open data: what anybody may read of this platform, without a token (docs/open-data.md)."""
