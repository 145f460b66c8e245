"""Buyers: contacts and their identities, tags, consents, suppression, suggestions to merge doubles.

Woken by intake and by buyers' own choices; gives `ConsentChanged`, `TagsChanged` and `CustomerMerged`.
"""
