"""One charge point: EV_CP_E, the engine that charges, and EV_CP_M, the monitor that vouches for it.

This room imports no other room of cpo_app: it speaks to EV_Registry and EV_Central over HTTP
only (docs/charge-point.md holds the wire contract), so a pair can run on any host.
"""
