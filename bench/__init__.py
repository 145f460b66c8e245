"""Measurements in paired rounds against a twin; run all with `make bench`."""
