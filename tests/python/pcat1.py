"""Writes and reads catalogues of the trees in a snapshot, from the table of the format alone.

`pcat1.py list CATALOGUE` prints what a reader finds, as JSON: a list of [path, type, size, seconds], of which all but
files have null for the last two. The reader trusts what it reads.
"""

import json
import pathlib
import struct
import sys

MARK = bytes.fromhex("91fd60f9c46758d5")
LETTERS = {"folder": b"d", "file": b"f", "link": b"l", "hard": b"h", "block": b"b", "character": b"c", "pipe": b"p"}
LETTERS |= {"socket": b"s"}
WORDS = {letter[0]: kind for kind, letter in LETTERS.items()} | {ord("h"): "hardlink"}


def number(value):
    some = bytearray()
    while value > 127:
        some.append(value & 127 | 128)
        value >>= 7
    return bytes([*some, value])


def signed(value):
    if value >= 0:
        return number(value)
    some = bytearray()
    value = -value
    while value:
        some.append(value & 127 | 128)
        value >>= 7
    return bytes([*some, 0])


def catalogue(archives, seconds=1_750_086_400):
    """Of archives by the names of their files: trees as pxar.py takes them."""
    out = bytearray(MARK)

    def table(entries):
        lines = []
        for name, kind, what, *_ in entries:
            line = LETTERS[kind] + number(len(name)) + name
            if kind == "file":
                line += number(len(what)) + signed(seconds)
            lines.append((line, table(what) if kind == "folder" else None))
        at = len(out)
        body = number(len(lines))
        for line, child in lines:
            body += line + (number(at - child) if child is not None else b"")
        out.extend(number(len(body)) + body)
        return at

    root = table([(name, "folder", tree) for name, tree in archives])
    return bytes(out) + struct.pack("<Q", root)


class Reader:
    def __init__(self, raw):
        self.raw, self.at, self.found = raw, 0, []

    def number(self):
        value = shift = 0
        while True:
            byte = self.raw[self.at]
            self.at += 1
            value, shift = value | (byte & 127) << shift, shift + 7
            if byte < 128:
                return value

    def signed(self):
        begin = self.at
        value = self.number()
        return -value if self.at - begin > 1 and self.raw[self.at - 1] == 0 else value

    def table(self, place, path):
        self.at = place
        self.number()
        for _ in range(self.number()):
            kind = WORDS[self.raw[self.at]]
            self.at += 1
            length = self.number()
            below = path + [self.raw[self.at : self.at + length].decode()]
            self.at += length
            what = [self.number(), self.signed()] if kind == "file" else [None, None]
            self.found.append(["/".join(below), kind, *what])
            if kind == "folder":
                back, after = self.number(), self.at
                self.table(place - back, below)
                self.at = after

    def read(self):
        assert self.raw[:8] == MARK
        self.table(*struct.unpack("<Q", self.raw[-8:]), [])
        return self.found


def main(verb, path):
    assert verb == "list"
    print(json.dumps(Reader(pathlib.Path(path).read_bytes()).read()))


if __name__ == "__main__":
    main(*sys.argv[1:])
