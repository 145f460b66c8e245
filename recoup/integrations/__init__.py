"""One folder for each shop platform, payment operator and channel; named in `config/adapters.py`."""
