"""Charge points that speak OCPP: their sockets, their messages, what they are asked."""
