"""Codes of the parts in words that people read: each a function from a code to a translated sentence."""
