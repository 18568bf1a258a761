"""Sphinx settings of the user guide."""

project = "provisioner"
author = "the provisioner authors"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = "provisioner"
exclude_patterns = ["_build"]
myst_heading_anchors = 3
