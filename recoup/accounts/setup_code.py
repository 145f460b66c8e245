"""The code that the first owner types: whoever reads what `recoup run` prints, and not whoever finds the address first."""

import base64
import hashlib
import hmac

from django.conf import settings

_LENGTH = 8  # letters and digits: 40 bits, and guesses are limited


def setup_code() -> str:
    """Return the code of this installation, in two groups. It hangs on the secret key alone, so every process knows it."""
    digest = hmac.digest(settings.SECRET_KEY.encode(), b"recoup: the first owner", hashlib.sha256)
    code = base64.b32encode(digest).decode()[:_LENGTH]
    return f"{code[:4]}-{code[4:]}"


def is_setup_code(typed: str) -> bool:
    """Tell whether this is the code; capitals, dashes and spaces do not matter, and 0 and 1 are read as O and I."""
    bare = "".join(typed.upper().split()).replace("-", "").replace("0", "O").replace("1", "I")
    return hmac.compare_digest(bare.encode(), setup_code().replace("-", "").encode())
