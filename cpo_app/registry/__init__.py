"""EV_Registry: says who a charge point is."""
