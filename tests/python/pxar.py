"""Writes and reads trees of files as datastores archive them, from the table of the format alone.

`pxar.py list ARCHIVE` prints what a reader finds, as JSON: a list of [path, type, mode, uid, gid, seconds, what], where
`what` is the size of a file, the target of a link or the numbers of a device. The reader trusts what it reads.
`pxar.py sums ARCHIVE [PAYLOADS]` prints the SHA-256 of each file's content by its path.
"""

import hashlib
import json
import pathlib
import struct
import sys

VERSION, PRELUDE, ENTRY, OLD = 0x730F6C75DF16A40D, 0xE309D79D9F7B771B, 0xD5956474E588ACEF, 0x11DA850A1C1CCEFF
NAME, LINK, HARD, DEVICE = 0x16701121063917B3, 0x27F971E7DBF5DC5F, 0x51269C8422BD7275, 0x9FC9E906586D5CE9
XATTR, FCAPS, QUOTA, ACL = 0x0DAB0229B57DCD03, 0x2DA9DD9DB5F7FB67, 0xE07540E82F7D1CBB, 0x2CE8540A457D55B8
PAYLOAD, REFERENCE, GOODBYE, LAST = 0x28147A1B0B7C1A25, 0x419D3D6BC4BA977E, 0x2FEC4FA642D5731D, 0xEF5EED5B753E1555
BEGIN, END = 0x834C68C2194A4ED2, 0x6C72B78B984C81B5
TYPES = {"folder": 0o40000, "file": 0o100000, "link": 0o120000, "block": 0o60000, "character": 0o20000}
TYPES |= {"pipe": 0o10000, "socket": 0o140000}
MASK = (1 << 64) - 1


def siphash(data, k0=0x83AC3F1CFBB450DB, k1=0xAA4F1B6879369FBD):
    a, b = k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D
    c, d = k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573

    def turn(word, by):
        return (word << by | word >> (64 - by)) & MASK

    def rounds(count):
        nonlocal a, b, c, d
        for _ in range(count):
            a, c = (a + b) & MASK, (c + d) & MASK
            b, d = turn(b, 13) ^ a, turn(d, 16) ^ c
            a = turn(a, 32)
            a, c = (a + d) & MASK, (c + b) & MASK
            b, d = turn(b, 17) ^ c, turn(d, 21) ^ a
            c = turn(c, 32)

    padded = data + bytes(7 - len(data) % 8) + bytes([len(data) & 255])
    for (word,) in struct.iter_unpack("<Q", padded):
        d ^= word
        rounds(2)
        a ^= word
    c ^= 0xFF
    rounds(4)
    return a ^ b ^ c ^ d


def item(kind, content=b""):
    return struct.pack("<QQ", kind, 16 + len(content)) + content


class Writer:
    """Writes one archive. A tree is a list of (name, type, what, extra), as `folder` says."""

    def __init__(self, split=False, prelude=None, seconds=1_750_086_400, old=False):
        self.tree, self.split, self.seconds, self.places, self.old = b"", split, seconds, {}, old
        self.payloads = item(BEGIN)
        if split:
            self.tree += item(VERSION, struct.pack("<Q", 2))
            self.tree += item(PRELUDE, prelude) if prelude is not None else b""

    def stat(self, kind, mode=None, uid=1000, gid=1000):
        mode = TYPES[kind] | (mode if mode is not None else 0o755 if kind == "folder" else 0o644)
        if self.old:
            return item(OLD, struct.pack("<QQIIQ", mode, 0, uid, gid, self.seconds * 10**9 + 7))
        return item(ENTRY, struct.pack("<QQIIqII", mode, 0, uid, gid, self.seconds, 7, 0))

    def folder(self, entries, path=b"", extra=b"", **stat):
        """What is in a folder: `what` is bytes of a file, entries of a folder, a target, or the numbers of a device;
        `extra` the items between metadata and content."""
        at, lines = len(self.tree), []
        self.tree += self.stat("folder", **stat) + extra
        for name, kind, what, *more in entries:
            begin, apart, below = len(self.tree), 0, path + b"/" + name if path else name
            self.places[below] = begin
            self.tree += item(NAME, name + b"\0")
            beside = more[0] if more else b""
            if kind == "folder":
                self.folder(what, below, beside)
            elif kind == "hard":
                self.tree += item(HARD, struct.pack("<Q", begin - self.places[what]) + what + b"\0")
            else:
                self.tree += self.stat(kind) + beside
                apart = self.content(kind, what)
            lines.append((siphash(name), begin, len(self.tree) - begin + apart))
        self.goodbye(at, lines)

    def content(self, kind, what):
        if kind == "file" and self.split:
            self.tree += item(REFERENCE, struct.pack("<QQ", len(self.payloads), len(what)))
            self.payloads += item(PAYLOAD, what)
            return len(what)
        if kind == "file":
            self.tree += item(PAYLOAD, what)
        elif kind == "link":
            self.tree += item(LINK, what + b"\0")
        elif kind in ("block", "character"):
            self.tree += item(DEVICE, struct.pack("<QQ", *what))
        return 0

    def goodbye(self, at, lines):
        begin, lines = len(self.tree), sorted(lines)
        table = [None] * len(lines)

        def place(slot):
            if slot < len(lines):
                place(2 * slot + 1)
                table[slot] = next(rest)
                place(2 * slot + 2)

        rest = iter(lines)
        place(0)
        body = b"".join(struct.pack("<QQQ", name, begin - start, length) for name, start, length in table)
        self.tree += item(GOODBYE, body + struct.pack("<QQQ", LAST, begin - at, 16 + len(body) + 24))


def archive(entries, **how):
    """A whole archive: its bytes, or those of tree and payloads."""
    writer = Writer(**how)
    writer.folder(entries)
    return (writer.tree, writer.payloads + item(END)) if writer.split else writer.tree


def items(data):
    at = 0
    while at < len(data):
        kind, length = struct.unpack_from("<QQ", data, at)
        yield kind, data[at + 16 : at + length]
        at += length


def listed(data, content_of=len, place_of=lambda content: struct.unpack("<QQ", content)[1]):
    """What a reader finds."""
    found, path, pending = [], [], None
    names = {mode: word for word, mode in TYPES.items()}

    def settle(what=None):
        nonlocal pending
        if pending:
            found.append([*pending, what])
        pending = None

    for kind, content in items(data):
        if kind in (ENTRY, OLD):
            mode, _, uid, gid, seconds = struct.unpack_from("<QQIIq", content)
            word = names[mode & 0o170000]
            seconds = seconds // 10**9 if kind == OLD else seconds
            pending = ["/".join(path), word, mode & 0o7777, uid, gid, seconds]
            if word == "folder":
                settle()
                path.append(None)
            elif word in ("pipe", "socket"):
                settle()
        elif kind == NAME:
            path[-1] = content[:-1].decode("latin-1")
        elif kind == PAYLOAD:
            settle(content_of(content))
        elif kind == REFERENCE:
            settle(place_of(content))
        elif kind == LINK:
            settle(content[:-1].decode("latin-1"))
        elif kind == DEVICE:
            settle(list(struct.unpack("<QQ", content)))
        elif kind == HARD:
            found.append(["/".join(path), "hardlink", None, None, None, None, content[8:-1].decode("latin-1")])
        elif kind == GOODBYE:
            path.pop()
    return found


def sums(data, payloads):
    """The SHA-256 of each file's content."""

    def place(content):
        at, length = struct.unpack("<QQ", content)
        return hashlib.sha256(payloads[at + 16 : at + 16 + length]).hexdigest()

    found = listed(data, lambda content: hashlib.sha256(content).hexdigest(), place)
    return {path: what for path, kind, *_, what in found if kind == "file"}


def main():
    word, file, *more = sys.argv[1:]
    data = pathlib.Path(file).read_bytes()
    if word == "list":
        print(json.dumps(listed(data)))
    if word == "sums":
        print(json.dumps(sums(data, pathlib.Path(more[0]).read_bytes() if more else b"")))


if __name__ == "__main__":
    main()
