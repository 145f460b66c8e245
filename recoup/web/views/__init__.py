"""The staff screens, a module for each place: they look up, call one action or some queries, and render."""
