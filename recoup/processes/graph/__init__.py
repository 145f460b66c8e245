"""The document of a process: its format, what makes it valid, its compilation, its words and picture."""
