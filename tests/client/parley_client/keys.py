"""Seeds, keys, key ids, labels, secret files (sections 2.2, 5.1)."""

import base64
import hashlib

import nacl.bindings as sodium
import nacl.exceptions

from .errors import check
from .names import is_delegation, is_entity, is_name

ED25519, X25519 = 1, 2
CONTEXT = b"parleyid"
DELEGATION_KEYS = {"sign": 1, "note": 2, "witness": 3, "seal": 4, "link": 5}
BROKER_KEYS = {"link": 16, "log": 17, "desk": 18, "veil": 19}
ROOT_KEYS = {"root": 32}
KINDS = {"delegation": DELEGATION_KEYS, "root": ROOT_KEYS,
         "broker": BROKER_KEYS}
_ON_CURVE = {"seal", "link"}


def label(text):
    """The 16 octets that begin what is signed or hashed (section 2.2)."""
    octets = b"\0parley/" + text.encode()
    assert len(octets) <= 16
    return octets.ljust(16, b"\0")


def blake2b(octets):
    return hashlib.blake2b(octets, digest_size=32).digest()


def derive(seed, n):
    """libsodium's crypto_kdf_derive_from_key."""
    return hashlib.blake2b(
        b"", digest_size=32, key=seed, salt=n.to_bytes(8, "little"),
        person=CONTEXT).digest()


def key_id(kind, key):
    return hashlib.sha256(label("key") + bytes([kind]) + key).digest()[:8]


def sign_key_id(key):
    return key_id(ED25519, key)


def b64(octets):
    return base64.b64encode(octets).decode()


def unb64(text, n=None):
    """Base64 in its one spelling."""
    check(isinstance(text, str) and text.isascii(), "no base64")
    try:
        octets = base64.b64decode(text, validate=True)
    except ValueError:
        octets = None
    check(octets is not None and b64(octets) == text,
          f"{text!r} is not the one spelling in base64")
    check(n is None or len(octets) == n, f"{len(octets)} octets, not {n}")
    return octets


def sign(seed, octets):
    """The 64 octets of an Ed25519 signature by the key of this seed."""
    _, secret = sodium.crypto_sign_seed_keypair(seed)
    return sodium.crypto_sign(octets, secret)[:64]


def verifies(key, signature, octets):
    if len(key) != 32 or len(signature) != 64:
        return False
    try:
        sodium.crypto_sign_open(signature + octets, key)
    except nacl.exceptions.BadSignatureError:
        return False
    return True


class Identity:
    """The keys of one seed: a delegation's, a root signer's, a broker's."""

    def __init__(self, kind, name, seed):
        check(len(seed) == 32, "a seed has 32 octets")
        self.kind, self.name, self.seed = kind, name, seed
        self.secret = {k: derive(seed, n) for k, n in KINDS[kind].items()}
        self.public = {k: _public(k, s) for k, s in self.secret.items()
                       if k != "veil"}

    def id(self, key):
        """The 8 octets that stand for one of its public keys."""
        kind = X25519 if key in _ON_CURVE else ED25519
        return key_id(kind, self.public[key])

    def sign(self, key, text_label, octets):
        """Sign a binary structure under a label."""
        return sign(self.secret[key], label(text_label) + octets)

    def secret_file(self):
        return ("parley/secret/1\n" f"kind {self.kind}\n" f"name {self.name}\n"
                "protection none\n" f"seed {b64(self.seed)}\n")


def _public(key, secret):
    if key in _ON_CURVE:
        return sodium.crypto_scalarmult_base(secret)
    return sodium.crypto_sign_seed_keypair(secret)[0]


def read_secret_file(text):
    lines = text.split("\n")
    check(len(lines) == 6 and lines[5] == "", "a secret file has 5 lines")
    check(lines[0] == "parley/secret/1", "no secret file of format 1")
    kind, name, protection, seed = (
        _after(lines[i + 1], word)
        for i, word in enumerate(("kind", "name", "protection", "seed")))
    check(kind in KINDS, f"kind {kind!r}")
    check(protection == "none", f"protection {protection!r}")
    check(_name_fits(kind, name), f"{name!r} names no {kind}")
    return Identity(kind, name, unb64(seed, 32))


def _after(line, word):
    check(line.startswith(word + " "), f"{word!r} expected")
    return line[len(word) + 1:]


def _name_fits(kind, name):
    if kind == "delegation":
        return is_delegation(name)
    if kind == "broker":
        return is_name(name)
    return name.endswith("/root") and is_entity(name[:-5])
