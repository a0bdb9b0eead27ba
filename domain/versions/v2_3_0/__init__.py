"""OCPI 2.3.0, second edition: its version is in version.py."""
