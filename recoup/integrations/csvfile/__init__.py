"""Orders and buyers from files: recognised or mapped by a person, tried first, then imported once."""
