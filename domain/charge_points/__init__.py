"""Charge points: their registrations, their state, and the site they become."""
