"""Writing a mail as bytes: addresses, headers, a fixed skeleton for the rest, and the copy that is kept.

Free of Django. `EmailMessage` is fourteen times slower than the skeleton, and smtplib trusts what it is given; here every
header is cleaned, encoded and folded by us, and tests read each mail back with `email`.
"""
