"""The offline gazetteer: what a place's name says of where it is."""
