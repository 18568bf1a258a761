"""GitOps for security logging on OpenSearch: validate, test, plan and apply one repository's rules, schema and retention."""

__version__ = "0.1.0"
