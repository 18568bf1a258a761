"""Index State Management, of the Index Management plugin."""
