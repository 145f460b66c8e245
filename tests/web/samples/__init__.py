"""Contexts of the pages with believable values: for the tests of templates and for the gallery."""
