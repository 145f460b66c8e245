"""Turning a shop's own texts into a mail: Liquid, MJML and the capped child process that renders them.

Everything here except `saving` and `words` is free of Django, so that the child stays small. `tokens` says what may be
written, `checking` and `sources` refuse what may not, `compiling` makes a version ready once, `rendering` fills it in for
one person, `pool` runs all of it in children with limits on memory, processor time and patience.
"""
