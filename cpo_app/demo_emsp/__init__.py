"""A small demonstration eMSP: what a newcomer needs to see OCPI work within a minute, and what
who builds a CPO needs to see it fail.

It goes by the OCPI text and shares nothing with the CPO's own client.
"""
