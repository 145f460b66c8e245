"""Twilio Programmable Messaging: short messages without an idempotency key, so that one asks before one offers again."""
