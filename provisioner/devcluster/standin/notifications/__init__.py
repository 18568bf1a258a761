"""The Notifications plugin: channels, and sending through them."""
