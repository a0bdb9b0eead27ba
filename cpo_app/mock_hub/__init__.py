"""A small roaming hub with eMSPs behind it: for trying hubs without one, and for tests.

It speaks OCPI 2.2.1 by the text alone, in Starlette and httpx, and keeps everything in memory.
"""
