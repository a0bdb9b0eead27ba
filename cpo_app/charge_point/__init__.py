"""EV_CP_M and EV_CP_E: a charge point's monitor and engine."""
