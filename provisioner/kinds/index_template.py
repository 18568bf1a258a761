"""Index templates: what the indices of a pattern look like.

A second one with the same pattern and priority is refused (400), and so is deleting one that a data stream uses.
"""

from provisioner.kinds._templates import TemplateKind

KIND = TemplateKind("index_template")
