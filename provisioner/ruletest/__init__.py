"""Rule tests: the events of a rule's `tests:` through rendered templates, pipelines and monitors, on a real engine."""
