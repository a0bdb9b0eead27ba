"""A small demonstration eMSP: what a newcomer needs to see OCPI work within a minute.

Its receiving side is extrawest-ocpi's own EMSP role, unchanged: a second implementation.
"""
