"""Notices on their way out: webhooks and mail, and what this host alone knows of trouble."""
