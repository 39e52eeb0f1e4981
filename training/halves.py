"""The halves of evaluation sets, parted as `qanda eval --part` does."""

import hashlib


def is_development(key):
    """Whether choices may be made on what has this key (an id or a group); the other half is held out."""
    return hashlib.sha256(key.encode()).digest()[0] < 128
