"""What an operator sees, for console, command line, `/metrics`, `cpo doctor` and Central's `/cp`.

Reads only, bounded, through indexes. What an operator does is in the rooms that it is done to
(domain/peers/switches.py).
"""
