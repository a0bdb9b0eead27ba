"""Stored objects in the OCPI versions that peers speak: made when an object changes, read as bytes.

The inner object stays the truth; what is not kept in a version is made for whoever reads it.
"""
