"""The whole story in a terminal: a real cluster, the starter pack, a real log, an alert, a notification, no drift."""
