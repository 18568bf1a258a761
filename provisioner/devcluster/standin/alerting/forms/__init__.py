"""The form in which OpenSearch shows a search that a client sent: defaults written out, short forms made long.

`search_source(body)` is the entry. The tables in `queries.py` and `aggregations.py` were measured on OpenSearch 3.4.0
(its search slow log prints a request in this form) and agree with the real Alerting plugin's recorded answers.
A type that no table names passes as it was sent; `docs/stand-in.md` lists what is known to differ.
"""

from provisioner.devcluster.standin.alerting.forms.source import search_source

__all__ = ["search_source"]
