"""A bank that takes no money: an operator with a server, pages, books and moods of its own, for demo and tests."""
