"""What anybody may know of this platform: its published locations, their status, and what charging
there costs whoever pays on the spot. As documents that are kept, and made anew where they change.
"""
