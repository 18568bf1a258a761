"""What a person or a machine reads: one module for each format. Values come in, text goes out."""
