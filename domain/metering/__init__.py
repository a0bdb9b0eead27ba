"""Signed meter data: read, verified, and held against what is billed. Knows no session."""
