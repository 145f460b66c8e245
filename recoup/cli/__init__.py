"""The command line: knows how to start each part and nothing of what it does.

Woken by a person or by the supervisor. Gives no news.
"""
