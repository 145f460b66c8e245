"""The pure core of processes: what happens to one enrolment, given its graph, its facts and the time.

Knows no database, no clock, no chance and no framework; a test keeps it so. `advance` is the only door for
the live store, the in-memory store, the publish preview and the back-test.
"""
