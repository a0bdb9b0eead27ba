"""The operator's lists, each declared once: what narrows it, its orders, rows and columns."""
