"""Runs the programs that Recoup is made of: PostgreSQL, web and worker.

Knows processes, folders and accounts of the machine, and nothing of the trade; free of Django and of every
other package of ours. Woken by the command line and by the tests. Gives no news.
"""
