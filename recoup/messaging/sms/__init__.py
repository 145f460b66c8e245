"""Short messages: the account of a shop with a provider, letters and parts, numbers, and what they may cost."""
