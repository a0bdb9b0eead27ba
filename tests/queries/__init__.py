"""Every query that the product issues while tests run, held against the store's indexes.

`asked.py` hears them, `shapes.py` says which are the same, `plans.py` how the server would carry
each out, `declared.py` which may look at more than an index brings, and why.
"""
