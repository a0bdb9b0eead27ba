"""OCPI 2.2.1: its version is in version.py."""
