"""Forms of blocks: a module for each kind, and one line in `table.py`."""
