"""House rules: what two reviews had to say twice, said by a machine instead.

A rule is a module with `applies(path)`, `faults(text)` and a docstring that says what it wants and why. Beside it lie
examples, good and bad, that test it: `examples/<rule>/good.*` and `bad.*`; a line of a bad one that must be found ends
with `FAULT`.
"""
