"""What builds and checks Recoup, and is no part of it."""
