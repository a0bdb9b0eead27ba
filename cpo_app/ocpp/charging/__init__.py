"""What charge points say of charging, in every version of OCPP: sessions are made of it."""
