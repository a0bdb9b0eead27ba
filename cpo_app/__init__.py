"""What runs: the OCPI face, EV_Central, EV_Registry, the charge points, the console, `cpo`.

The rooms in here do not import each other: they meet in the store.
"""
