"""The door for people: staff screens."""
