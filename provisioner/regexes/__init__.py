"""Regular expressions of users as trees, and what can go wrong when a server matches them against hostile text.

No library does this for the two engines at hand: regexploit (the one for Python) reads Python's syntax only, through a
module of Python's that is private, has had no release since 2021, and knows nothing of a stack.

- `parse` reads the syntax of java.util.regex (gsub, split, kv) or of Oniguruma (grok) into a `tree`;
- `grok` puts in what `%{NAME:field}` stands for;
- `stack` tells what java.util.regex matches by calling itself, once for each repetition;
- `automaton` and `ambiguity` tell where a text can be read in so many ways that a failing match takes time beyond
  linear, with such a text.
"""
