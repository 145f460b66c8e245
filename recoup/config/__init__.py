"""Settings, addresses and the worker: where the parts are wired together."""
