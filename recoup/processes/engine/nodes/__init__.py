"""Kinds of blocks, one module a kind."""
