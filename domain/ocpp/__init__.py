"""Charge points that speak OCPP: what is kept of them and what their messages mean; no sockets."""
