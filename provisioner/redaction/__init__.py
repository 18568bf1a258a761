"""Redaction before an event is sent: the catalogue of templates/redaction.yml in Python, with the pipeline's result."""

from provisioner.redaction.catalogue import Catalogue
from provisioner.redaction.logs import RedactingFilter, RedactingProcessor
from provisioner.redaction.redactor import Found, Redactor

__all__ = ["Catalogue", "Found", "RedactingFilter", "RedactingProcessor", "Redactor"]
