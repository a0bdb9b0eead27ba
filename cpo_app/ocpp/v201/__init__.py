"""OCPP 2.0.1, edition 3; 2.1 has the same messages for what is done here."""
