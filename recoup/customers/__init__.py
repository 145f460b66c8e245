"""Buyers: contacts and their identities, consents, suppression, suggestions to merge doubles.

Woken by intake and by buyers' own choices; gives `ConsentChanged` and `CustomerMerged`.
"""
