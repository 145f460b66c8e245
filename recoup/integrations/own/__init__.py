"""The built-in source of orders that buyers place on our own pages. Nobody connects it; nothing calls in."""
