"""OCPI 2.1.1, second edition: its version is in version.py."""
