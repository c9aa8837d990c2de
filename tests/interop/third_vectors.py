"""Checks the third implementation against vector files.

    third_vectors.py FILE...

Every case whose operation it knows; prints one line per operation: how many cases hold. Ends with
1 at the first that does not.
"""

import base64
import hashlib
import json
import struct
import sys
import uuid
from collections import Counter

from third import (
    HINTED,
    TOMBSTONE,
    Refused,
    age_open,
    attachment_open,
    back_open,
    ctx,
    door,
    ed25519_verify,
    epoch_keys,
    event_header,
    event_open,
    event_order,
    event_seal,
    hkdf,
    lp,
    need,
    padded,
    pair_agree,
    pair_link,
    pair_open,
    pair_print,
    pair_read,
    pair_typed,
    xchacha_open,
    xchacha_seal,
)

# The vectors: bytes are hex, ids are UUIDs, keys of age are text.


def id16(text):
    return uuid.UUID(text).bytes


def hexed(value):
    return value.hex() if isinstance(value, bytes) else value


def told(header):
    """A header as the vectors have it."""
    text = {name: str(uuid.UUID(bytes=header[name])) for name in ("id", "sender")}
    target = header["target"] and str(uuid.UUID(bytes=header["target"]))
    notify = [str(uuid.UUID(bytes=user)) for user in header["notify"]]
    return header | text | {"target": target, "notify": notify}


def op_event_open(wire, secret, room, ed25519):
    header, body = event_open(wire, secret, id16(room), ed25519)
    return told(header) | {"body": body}


def op_event_seal(given):
    header = {name: given[name] for name in ("epoch", "writer", "kind", "seq")}
    need(0 <= header["epoch"] < 2**32 and 0 <= header["writer"] < 2**32, "not a u32")
    header |= {name: id16(given[name]) for name in ("id", "sender")}
    notify = [id16(user) for user in given["notify"]]
    need(len(notify) <= 255, "at most 255 are notified")
    need((given["target"] is not None) == (header["kind"] == TOMBSTONE), "a tombstone has a target")
    need(bool(notify) == (header["kind"] == HINTED), "hints notify somebody")
    extra = id16(given["target"]) if given["target"] else b""
    extra += bytes([len(notify)]) + b"".join(notify) if notify else b""
    seed, nonce, body = (bytes.fromhex(given[name]) for name in ("seed", "nonce", "body"))
    need(body, "nothing to say")
    secret = bytes.fromhex(given["secret"])
    wire = event_seal(secret, id16(given["room"]), header, extra, seed, nonce, body)
    return {"wire": wire}


def op_event_order(given):
    for event in (event for run in given["runs"] for event in run):
        need(bytes(16) not in [id16(event["id"]), id16(event["sender"])], "an id that names nothing")
        need(0 <= event["writer"] < 2**32 and 0 <= event["seq"] < 2**53, "not a number of an event")
    names = ("id", "sender", "writer", "seq")
    runs = [[tuple(event[name] for name in names) for event in run] for run in given["runs"]]
    return {"runs": event_order(given["begins"], runs)}


def b(given, name):
    return bytes.fromhex(given[name])


def op_attachment_open(given):
    file = given["file"]
    file = base64.urlsafe_b64decode(file + "=" * (-len(file) % 4))
    plain = attachment_open(given["identity"], b(given, "sha256"), file)
    return {"size": len(plain), "plaintext_sha256": hashlib.sha256(plain).digest()}


def op_pair_check(given):
    _, shown = pair_read(given["typed"])
    need(pair_print(b(given, "key_new")) == shown, "not the key that was shown")
    return {}


def named(names, values):
    return dict(zip(names, values, strict=True))


def pair_agree_of(given):
    names = ("secret", "theirs", "channel", "key_new", "key_old")
    return pair_agree(*(b(given, name) for name in names))


def pair(identity, recipient):
    return {"identity": identity, "recipient": recipient}


OPS = {
    "lp": lambda g: {"bytes": lp(b(g, "data"))},
    "ctx": lambda g: {"bytes": ctx(g["tag"], *map(bytes.fromhex, g["parts"]))},
    "hkdf": lambda g: {"key": hkdf(b(g, "ikm"), b(g, "salt"), b(g, "info"))},
    "xchacha_seal": lambda g: {
        "sealed": xchacha_seal(b(g, "key"), b(g, "nonce"), b(g, "message"), b(g, "aad"))
    },
    "xchacha_open": lambda g: {"message": xchacha_open(b(g, "key"), b(g, "sealed"), b(g, "aad"))},
    "ed25519_verify": lambda g: (
        ed25519_verify(b(g, "public"), b(g, "message"), b(g, "signature")) or {}
    ),
    "epoch_keys": lambda g: dict(
        zip(("key", "kid"), epoch_keys(b(g, "secret"), id16(g["room"])), strict=True)
    ),
    "back_open": lambda g: {
        "secret": back_open(b(g, "secret"), id16(g["room"]), g["epoch"], b(g, "back"))
    },
    "pad": lambda g: {"padded": padded(g["length"])},
    "event_header": lambda g: told(event_header(b(g, "wire"))[0]),
    "event_open": lambda g: op_event_open(
        b(g, "wire"), b(g, "secret"), g["room"], b(g, "ed25519")
    ),
    "event_seal": op_event_seal,
    "event_order": op_event_order,
    "door_identity": lambda g: pair(*door(b(g, "secret"), id16(g["room"]), id16(g["device"]))),
    "door_open": lambda g: {"plaintext": age_open(b(g, "post"), g["identity"])},
    "attachment_open": op_attachment_open,
    "pair_link": lambda g: {"link": pair_link(g["origin"], b(g, "channel"), b(g, "key_new"))},
    "pair_typed": lambda g: {"typed": pair_typed(b(g, "channel"), b(g, "key_new"))},
    "pair_read": lambda g: named(("channel", "print"), pair_read(g["typed"])),
    "pair_check": op_pair_check,
    "pair_agree": lambda g: named(("key", "digits"), pair_agree_of(g)),
    "pair_open": lambda g: named(
        ("root", "refresh"), pair_open(b(g, "key"), b(g, "channel"), b(g, "sealed"))
    ),
}


def check(case):
    """Whether this implementation says what the case says."""
    try:
        result = OPS[case["op"]](case["in"])
    except (Refused, ValueError, struct.error) as why:
        need(case.get("error"), f"refused: {why}")
        return
    need(not case.get("error"), "taken, and it is to be refused")
    for name, wanted in case["out"].items():
        got = hexed(result[name])
        need(got == wanted, f"{name} is {got}, not {wanted}")


def main(files):
    held = Counter()
    for name in files:
        with open(name, encoding="utf-8") as file:
            cases = json.load(file)["cases"]
        for case in cases:
            if case["op"] not in OPS:
                continue
            try:
                check(case)
            except Refused as why:
                sys.exit(f"{name}: {case['op']}, {case['name']}: {why}")
            held[case["op"]] += 1
    for op, count in sorted(held.items()):
        print(op, count)


if __name__ == "__main__":
    main(sys.argv[1:])
