"""Why somebody did or did not get a message: answered from what was written down, never guessed."""
