"""Putting many into a process at once: a selection or a segment, examined first, then let in chunk by chunk."""
