"""`provisioner scan`: what is stored already, looked through with the redaction's catalogue.

- `reader` reads a data stream or index by a point in time, in slices, at random or all of it; nothing is written;
- `tally` counts what a Redactor would replace, never a value.
"""
