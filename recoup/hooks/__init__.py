"""The door for webhooks: checks the signature, keeps the raw body once, answers, applies."""
