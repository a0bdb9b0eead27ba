"""The OCPI 2.2.1 face: what eMSP peers talk to."""
