"""OCPI objects of ours as the store keeps them: keys, audience, what they are found by."""
