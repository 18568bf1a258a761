"""GitOps for security logging on OpenSearch: validate, test, plan and apply what one repository holds."""

__version__ = "0.1.0"
