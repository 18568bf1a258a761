"""`provisioner redact`: the Redactor over files and pipes, in several processes, with flat memory.

- `inputs` reads chunks of whole lines, `outputs` writes a file that is whole or not there;
- `work` redacts a chunk and counts, `stream` keeps several of them going and their order.
"""
