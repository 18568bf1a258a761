"""Component templates: parts of index templates. One that an index template uses can't be deleted (400)."""

from provisioner.kinds._templates import TemplateKind

KIND = TemplateKind("component_template")
