"""Chance without chance: the same person lands in the same arm in every version, re-run and simulation."""

from hashlib import blake2b
from struct import Struct

BUCKETS = 10_000
HOLDOUT_NODE = 0  # no block has this number
SHOP_NODE = -1  # nor this one

_KEY = Struct(">qqq")


def bucket(salt: int, node: int, contact_id: int) -> int:
    """Return the stable bucket of a person at a node, from 0 to 9,999."""
    digest = blake2b(_KEY.pack(salt, node, contact_id), digest_size=8, person=b"recoup-bucket").digest()
    return int.from_bytes(digest, "big") % BUCKETS


def is_held_out(salt: int, contact_id: int, holdout_bp: int) -> bool:
    """Tell whether a person belongs to the hold-out of a process, whose share is given in basis points."""
    return bucket(salt, HOLDOUT_NODE, contact_id) < holdout_bp


def is_held_out_of_shop(shop_id: int, contact_id: int, share_bp: int) -> bool:
    """Tell whether a person belongs to the hold-out of a whole shop.

    Drawn under the number of the shop, and those of its processes under their own salts: neither says anything about
    the other.
    """
    return bucket(shop_id, SHOP_NODE, contact_id) < share_bp
