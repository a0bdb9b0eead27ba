"""A simulated charge point that speaks OCPP 1.6-J or 2.0.1: the engine's EVSE behind another wire.

    station.py        one charge point with its EVSEs: what happens there, and what is asked of it
    keeping.py        connected, again and again; boot, status, heartbeats, what waits to be said
    wire.py           calls and answers over one websocket
    v16.py, v201.py   the same things in the words of one version
    fleet.py          thousands of them in one process

It shares power, meter, states, reservations, drivers, signatures and the journal with EV_CP_E, and
imports no other room: what it knows of a central system is what OCPP says.
"""
