"""The console, walked by a real browser."""
