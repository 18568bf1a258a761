"""A stand-in for the REST APIs of the Alerting, Notifications and Index Management plugins, in front of a real node."""
