"""Who acts upon this platform: people and their keys, what their role lets them do, and who acts
at present."""
