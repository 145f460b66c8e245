"""What fills the pages: from rows to the plain values of `parts` and `screens`, worded and linked."""
