"""The Alerting plugin: monitors, workflows, alerts, findings, and the schedule that runs them on the node."""
