"""Measurements: `python -m bench`. Every module here with a `run()` is one set of figures."""
