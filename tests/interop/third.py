"""A third implementation of what a reader of Hearth needs: opening events, doors' posts and
attachments; and of pairing.

Written from docs/protocol.md and the page of the vectors alone, for two purposes: to show that a
stranger can write a client, and to find where the text is not clear. Uses PyPI's `cryptography`
and the stock `age` command; nothing of Hearth's own code.
"""

import base64
import hashlib
import json
import struct
import subprocess
import tempfile

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.asymmetric.x25519 import (
    X25519PrivateKey,
    X25519PublicKey,
)
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

WIRE_BYTES_MAX = 65_536
HEADER_BYTES = 50
NONCE_BYTES, TAG_BYTES, SIGNATURE_BYTES = 24, 16, 64
CONTENT, TOMBSTONE, LIVE, HINTED = 1, 2, 3, 4


class Refused(Exception):
    """Whatever does not hold."""


def need(holds, why):
    if not holds:
        raise Refused(why)


# Notation of the text: lp, ctx, HKDF, XChaCha.


def u32(number):
    return struct.pack(">I", number)


def u64(number):
    return struct.pack(">Q", number)


def lp(data):
    return u32(len(data)) + data


def ctx(tag, *parts):
    return b"".join(lp(part) for part in (tag.encode(), *parts))


def hkdf(ikm, salt, info):
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(ikm)


def hchacha20(key, nonce16):
    """The subkey of XChaCha20 (draft-irtf-cfrg-xchacha-03 §2.2)."""
    words = list(struct.unpack("<16I", b"expand 32-byte k" + key + nonce16))

    def rotate(word, bits):
        return ((word << bits) | (word >> (32 - bits))) & 0xFFFFFFFF

    def quarter(a, b, c, d):
        for x, y, z, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            words[x] = (words[x] + words[y]) & 0xFFFFFFFF
            words[z] = rotate(words[z] ^ words[x], bits)

    for _ in range(10):
        for column in range(4):
            quarter(column, 4 + column, 8 + column, 12 + column)
        for column in range(4):
            across = [row * 4 + (column + row) % 4 for row in range(4)]
            quarter(*across)
    return struct.pack("<8I", *words[:4], *words[12:])


def xchacha_cipher(key, nonce):
    return ChaCha20Poly1305(hchacha20(key, nonce[:16])), bytes(4) + nonce[16:]


def xchacha_seal(key, nonce, message, aad):
    cipher, short = xchacha_cipher(key, nonce)
    return nonce + cipher.encrypt(short, message, aad)


def xchacha_open(key, sealed, aad):
    need(len(sealed) >= NONCE_BYTES + TAG_BYTES, "too short to be sealed")
    cipher, short = xchacha_cipher(key, sealed[:NONCE_BYTES])
    try:
        return cipher.decrypt(short, sealed[NONCE_BYTES:], aad)
    except InvalidTag as error:
        raise Refused("it does not authenticate") from error


# Ed25519, strict: the curve's arithmetic only to find keys of small order (RFC 8032 §5.1).

P = 2**255 - 19
D = -121665 * pow(121666, P - 2, P) % P
ORDER = 2**252 + 27742317777372353535851937790883648493


def point(encoded):
    number = int.from_bytes(encoded, "little")
    y, sign = number % 2**255, number >> 255
    need(y < P, "a point that is not canonical")
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    need((x * x - square) % P == 0, "not on the curve")
    need(x != 0 or sign == 0, "a point that is not canonical")
    return (P - x if x % 2 != sign else x), y


def doubled(x, y):
    product = D * x * x * y * y % P
    return (
        2 * x * y * pow(1 + product, P - 2, P) % P,
        (y * y + x * x) * pow(1 - product, P - 2, P) % P,
    )


def is_small(encoded):
    at = point(encoded)
    for _ in range(3):
        at = doubled(*at)
    return at == (0, 1)


def ed25519_verify(public, message, signature):
    need(len(public) == 32 and len(signature) == SIGNATURE_BYTES, "wrong lengths")
    need(int.from_bytes(signature[32:], "little") < ORDER, "S is not canonical")
    need(not is_small(public) and not is_small(signature[:32]), "a point of small order")
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature as error:
        raise Refused("the signature is wrong") from error


# age: keys are bech32 of 32 bytes (BIP 173); files are opened by the stock command.

BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def bech32(prefix, data):
    bits = int.from_bytes(data, "big") << 4  # 256 bits in 52 groups of five
    values = [(bits >> 5 * place) & 31 for place in reversed(range(52))]

    def checksum(values):
        state = 1
        for value in values:
            top = state >> 25
            state = (state & 0x1FFFFFF) << 5 ^ value
            for place, word in enumerate(
                (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
            ):
                state ^= word if top >> place & 1 else 0
        return state

    spread = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    state = checksum(spread + values + [0] * 6) ^ 1
    values += [(state >> 5 * (5 - place)) & 31 for place in range(6)]
    return prefix + "1" + "".join(BECH32[value] for value in values)


def age_pair(scalar):
    public = X25519PrivateKey.from_private_bytes(scalar).public_key()
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return bech32("age-secret-key-", scalar).upper(), bech32("age", raw)


ARMOR, WHITE = b"-----BEGIN AGE ENCRYPTED FILE-----", b" \t\r\n"


def age_open(file, identity, bytes_max=WIRE_BYTES_MAX):
    need(len(file) <= bytes_max, "the file is too large")
    if file.lstrip(WHITE).startswith(ARMOR):
        file = file.lstrip(WHITE)
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as keys:
        keys.write(identity + "\n")
        keys.flush()
        done = subprocess.run(
            ["age", "-d", "-i", keys.name], input=file, capture_output=True, check=False
        )
    need(done.returncode == 0, done.stderr.decode(errors="replace"))
    return done.stdout


# Epochs, events, doors.


def epoch_keys(secret, room):
    """What seals events (K), and what names the epoch (kid)."""
    key = hkdf(secret, room, b"hearth/v1/epoch-aead")
    return key, hkdf(secret, room, b"hearth/v1/epoch-id")[:16]


def back_open(secret, room, epoch, back):
    """The secret of the epoch before."""
    key = hkdf(secret, room, b"hearth/v1/back")
    before = xchacha_open(key, back, ctx("hearth/v1/back", room, u32(epoch)))
    need(len(before) == 32, "a secret has 32 bytes")
    return before


def door(secret, room, device):
    """Identity and recipient of a device's door."""
    return age_pair(hkdf(secret, room, ctx("hearth/v1/door", device)))


def padded(length):
    """max(256, Padmé): a multiple of 2^(E-S), E = floor(log2 n), S = floor(log2 E) + 1."""
    if length <= 256:
        return 256
    e = length.bit_length() - 1
    step = 1 << (e - e.bit_length())
    return -(-length // step) * step


def event_header(wire):
    need(len(wire) <= WIRE_BYTES_MAX, "the wire is too long")
    need(len(wire) >= HEADER_BYTES and wire[0] == 1, "not a wire of version 1")
    epoch, id_, sender, writer, kind, seq = struct.unpack(">I16s16sIBQ", wire[1:HEADER_BYTES])
    need(epoch >= 1, "epochs begin at 1")
    target, notify, end = None, [], HEADER_BYTES
    if kind == TOMBSTONE:
        end += 16
        need(len(wire) >= end, "the target is cut off")
        target = wire[HEADER_BYTES:end]
    elif kind == HINTED:
        need(len(wire) > end and wire[end] >= 1, "nobody to notify")
        count = wire[end]
        end += 1 + 16 * count
        need(len(wire) >= end, "the hints are cut off")
        ids = wire[HEADER_BYTES + 1 : end]
        notify = [ids[at : at + 16] for at in range(0, len(ids), 16)]
    else:
        need(kind in (CONTENT, LIVE), "a kind that is unknown")
    need((seq == 0) == (kind == LIVE), "seq does not fit the kind")
    need(seq < 2**53, "a seq that not every language holds")
    need(bytes(16) not in [id_, sender, target, *notify], "an id that names nothing")
    need(len(wire) >= end + NONCE_BYTES + SIGNATURE_BYTES + 1 + TAG_BYTES, "the wire is too short")
    header = {
        "epoch": epoch,
        "id": id_,
        "sender": sender,
        "writer": writer,
        "kind": kind,
        "seq": seq,
        "target": target,
        "notify": notify,
    }
    return header, wire[HEADER_BYTES:end], wire[end:]


def event_aad(room, kid, header, extra):
    return ctx(
        "hearth/v1/event",
        room,
        u32(header["epoch"]),
        kid,
        header["id"],
        header["sender"],
        u32(header["writer"]),
        bytes([header["kind"]]),
        u64(header["seq"]),
        extra,
    )


def event_open(wire, secret, room, public):
    header, extra, sealed = event_header(wire)
    key, kid = epoch_keys(secret, room)
    aad = event_aad(room, kid, header, extra)
    inside = xchacha_open(key, sealed, aad)
    need(len(inside) > SIGNATURE_BYTES, "nothing inside")
    signature, body = inside[:SIGNATURE_BYTES], inside[SIGNATURE_BYTES:]
    ed25519_verify(public, ctx("hearth/v1/event-sig", aad, body), signature)
    return header, body


def event_seal(secret, room, header, extra, seed, nonce, body):
    key, kid = epoch_keys(secret, room)
    aad = event_aad(room, kid, header, extra)
    body += b" " * (padded(len(body)) - len(body))
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(
        ctx("hearth/v1/event-sig", aad, body)
    )
    fields = (header[name] for name in ("epoch", "id", "sender", "writer", "kind", "seq"))
    wire = b"\x01" + struct.pack(">I16s16sIBQ", *fields) + extra
    wire += xchacha_seal(key, nonce, signature + body, aad)
    event_header(wire)
    return wire


# Writers' numbers: what is missing, comes again, or was sent twice.


def event_order(begins, runs):
    """For each event (id, sender, writer, seq) of each run: known, missing, strange."""
    ids, writers, told = set(), {}, []
    for number, run in enumerate(runs):
        told.append([])
        for id_, sender, writer, seq in run:
            missing, strange, known = 0, None, id_ in ids
            ids.add(id_)
            before = writers.setdefault((sender, writer), {"seq": 0, "run": None, "all": set()})
            if not known:
                beside = before["run"] == number if before["all"] else begins and number == 0
                missing = max(0, seq - before["seq"] - 1) if beside else 0
                if seq in before["all"]:
                    strange = "copied_writer"
                elif seq < before["seq"]:
                    strange = "out_of_turn"
                before["all"].add(seq)
                if seq >= before["seq"]:
                    before.update(seq=seq, run=number)
            told[-1].append({"known": known, "missing": missing, "strange": strange})
    return told


# Attachments: an age file with an identity of its own, named by its hash.

ATTACHMENT_BYTES_MAX = 64 * 1024 * 1024


def attachment_open(identity, sha256, file):
    need(hashlib.sha256(file).digest() == sha256, "not the file that was named")
    return age_open(file, identity, ATTACHMENT_BYTES_MAX)


# Pairing.

CHANNEL_BYTES, PRINT_BYTES, TYPED_LETTERS = 16, 10, 42


def pair_link(origin, channel, key):
    return f"{origin}/pair#" + base64.urlsafe_b64encode(channel + key).decode().rstrip("=")


def pair_print(key):
    need(len(key) == 32, "a key has 32 bytes")
    return hashlib.sha256(key).digest()[:PRINT_BYTES]


def pair_typed(channel, key):
    return base64.b32encode(channel + pair_print(key)).decode().rstrip("=")


def pair_read(text):
    letters = "".join(text.split()).replace("-", "").upper()
    need(len(letters) == TYPED_LETTERS and letters.isascii(), "42 letters and digits")
    whole = base64.b32decode(letters + "======")
    need(base64.b32encode(whole).decode().rstrip("=") == letters, "bits after the end")
    return whole[:CHANNEL_BYTES], whole[CHANNEL_BYTES:]


def pair_agree(secret, theirs, channel, key_new, key_old):
    """The key of a pairing, and the six digits that both sides show."""
    need(len(channel) == CHANNEL_BYTES and len(key_new) == len(key_old) == 32, "wrong lengths")
    own = X25519PrivateKey.from_private_bytes(secret)
    # `cryptography` refuses a shared secret of zeros by itself (ValueError).
    shared = own.exchange(X25519PublicKey.from_public_bytes(theirs))
    salt = hashlib.sha256(channel + key_new + key_old).digest()
    key = hkdf(shared, salt, b"hearth/v1/pair")
    number = int.from_bytes(hkdf(key, b"", b"hearth/v1/pair-sas")[:8], "big")
    return key, f"{number % 10**6:06}"


def pair_open(key, channel, sealed):
    given = json.loads(xchacha_open(key, sealed, ctx("hearth/v1/pair", channel)))
    need(isinstance(given, dict), "not an object")
    root, refresh = given.get("root"), given.get("refresh")
    need(isinstance(root, str) and isinstance(refresh, str), "root and refresh are texts")
    root = base64.urlsafe_b64decode(root + "=" * (-len(root) % 4))
    need(len(root) == 32, "root has 32 bytes")
    return root, refresh
