"""SMSAPI (smsapi.pl, smsapi.com): short messages with an idempotency key of our own."""
