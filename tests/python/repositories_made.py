"""Sound repozo repositories of several shapes, by the binary and by Python's own repozo, and a copy of one that is
being damaged."""

import gzip
import hashlib
import os
import pathlib
import random
import re
import struct
import subprocess
import sys

from differ import Made, NotHere

NAME = re.compile(r"(\d{4}(?:-\d\d){5})\.((?:delta)?)fs(z?)")


class Source:
    """A Data.fs that grows: every kind of transaction and record, each object's revisions linked."""

    def __init__(self, path, seed):
        self.path, self.dice, self.last, self.tid = path, random.Random(seed), {}, 0x0400000000000000
        self.data = b"FS30"

    def packed(self):
        """Shorter, as a pack leaves it: some of the oldest transactions, and all times up to now."""
        newest, self.data, self.last, self.tid = self.tid, b"FS30", {}, 0x0400000000000000
        self.grow(2, b"p")
        self.tid = newest
        return self.grow(1)

    def grow(self, count, status=b" "):
        for _ in range(count):
            self.transaction(status)
        self.path.write_bytes(self.data)
        return self

    def transaction(self, status=b" "):
        dice, at = self.dice, len(self.data)
        self.tid += dice.randint(1, 1 << 20)
        texts = [dice.randbytes(dice.choice([0, 3, 20])) for _ in range(3)]
        oids = sorted(
            {
                dice.choice([0, 1, 2, dice.randint(3, 9), 0x10000 + dice.randint(0, 3)])
                for _ in range(dice.randint(0, 5))
            }
        )
        body, found = b"", {}
        for oid in oids:
            here, before = at + 23 + sum(map(len, texts)) + len(body), self.last.get(oid, 0)
            undo = before and dice.random() < 0.2
            data = b"" if undo else dice.randbytes(dice.randint(1, 40)) * dice.randint(1, 30)
            previous = 0 if status == b"p" else before
            body += struct.pack(">QQQQHQ", oid, self.tid, previous, at, 0, len(data)) + data
            if undo:
                body += struct.pack(">Q", dice.choice([0, before]))
            found[oid] = here
        length = 23 + sum(map(len, texts)) + len(body)
        self.data += (
            struct.pack(">QQcHHH", self.tid, length, status, *map(len, texts))
            + b"".join(texts)
            + body
            + struct.pack(">Q", length)
        )
        self.last.update(found)


def make_shapes(folder, binary):
    here = pathlib.Path(__file__).parent
    ours = [binary, "repozo"]
    theirs = [sys.executable, "-B", here / "original.py"]
    # Of each shape: by whom a backup was made, its options, and how the source had grown.
    shapes = {
        "plain": [(ours, "-F"), (ours, ""), (ours, "-Q"), (ours, ""), (ours, "pack"), (ours, ""), (ours, "")],
        "packed": [
            (ours, "-z"),
            (ours, "-zQ"),
            (ours, "-z"),
            (ours, "pack -z"),
            (ours, "-z"),
            (ours, "-z"),
            (ours, "-z"),
        ],
        "original": [(theirs, "-F"), (theirs, ""), (theirs, "-zQ"), (theirs, "pack -z"), (theirs, "-zQ"), (theirs, "")],
        "mixed": [(ours, ""), (theirs, "-zQ"), (ours, "-zQ"), (theirs, ""), (ours, "-Q")],
        "empty": [
            (theirs, ""),
            (theirs, "-Q tail"),
            (theirs, "-Q tail"),
            (ours, ""),
            (theirs, "pack -z"),
            (theirs, "-zQ tail"),
        ],
        "fulls": [(ours, "-F"), (theirs, "-F"), (ours, "-Fz")],
    }
    for seed, (name, runs) in enumerate(shapes.items()):
        target = folder / name
        target.mkdir(parents=True)
        source = Source(folder / f"{name}.fs", seed)
        for number, (program, options) in enumerate(runs):
            words = options.split()
            source = (
                source.packed()
                if "pack" in words
                else source
                if "tail" in words
                else source.grow(source.dice.randint(1, 4))
            )
            if "tail" in words:
                # A transaction that is being written: the original stores an increment of no bytes.
                source.path.write_bytes(source.data + struct.pack(">QQcHHH", source.tid + 1, 60, b"c", 0, 0, 0))
            flags = [word for word in words if word.startswith("-")]
            command = [*program, "-B", "-r", target, "-f", source.path, *flags]
            clock = {**os.environ, "HIGHWATER_NOW": f"2026-0{number + 1}-03-04-05-06"}
            subprocess.run(command, check=True, env=clock, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        (folder / f"{name}.fs").unlink()


class Repository(Made):
    """A repository that is being damaged."""

    def names(self, pattern):
        return sorted(path.name for path in self.root.iterdir() if re.fullmatch(pattern, path.name) and path.is_file())

    def data(self):
        return self.names(NAME)

    def dats(self):
        return self.names(r".*\.dat")

    def indices(self):
        return self.names(r".*\.index")

    def lines(self, least=1):
        """A `.dat` of so many lines at least, and its lines."""
        wanted = [dat for dat in self.dats() if self.read(dat).count(b"\n") >= least]
        dat = self.pick(wanted)
        return dat, self.read(dat).splitlines(keepends=True)

    def write_lines(self, dat, lines):
        self.write(dat, b"".join(lines))

    def line(self):
        """A `.dat`, its lines, the number of one, and that one's fields."""
        dat, lines = self.lines()
        at = self.pick(range(len(lines)))
        fields = lines[at].split()
        if len(fields) != 4 or not (fields[1].isdigit() and fields[2].isdigit()):
            raise NotHere
        return dat, lines, at, fields

    def write_line(self, dat, lines, at, fields):
        lines[at] = b" ".join(fields) + b"\n"
        self.write_lines(dat, lines)

    def stored(self, name):
        """The bytes of the source that a data file holds."""
        raw = self.read(name)
        try:
            return gzip.decompress(raw) if name.endswith("z") else raw
        except Exception as error:
            raise NotHere from error

    def store(self, name, plain):
        self.write(name, packed(plain) if name.endswith("z") else plain)

    def fit(self, name, length=False):
        """Makes the sum in a file's line that of its bytes, and the end too if asked."""
        plain = self.stored(name)
        for dat in self.dats():
            lines = self.read(dat).splitlines(keepends=True)
            for at, line in enumerate(lines):
                fields = line.split()
                if len(fields) == 4 and fields[0].endswith(name.encode()) and fields[1].isdigit():
                    if length:
                        fields[2] = b"%d" % (int(fields[1]) + len(plain))
                    fields[3] = hashlib.md5(plain).hexdigest().encode()
                    self.write_line(dat, lines, at, fields)

    def transactions(self, name):
        """The bytes of a data file, and where its transactions begin and end in them."""
        plain, found = self.stored(name), []
        at = 4 if plain[:4] == b"FS30" else 0
        while at + 23 <= len(plain):
            length = struct.unpack(">Q", plain[at + 8 : at + 16])[0] + 8
            if length < 31 or at + length > len(plain):
                break
            found.append((at, at + length))
            at += length
        return plain, found

    def record(self):
        """A data file, its bytes, and where one of its records begins and ends."""
        name = self.pick(self.data())
        plain, found = self.transactions(name)
        begin, end = self.pick(found)
        at, records = begin + 23 + sum(struct.unpack(">HHH", plain[begin + 17 : begin + 23])), []
        while at + 42 <= end - 8:
            length = struct.unpack(">Q", plain[at + 34 : at + 42])[0]
            after = at + 42 + (length or 8)
            if after > end - 8:
                break
            records.append((at, after))
            at = after
        return name, plain, *self.pick(records)

    def patch(self, name, plain, at, new):
        """Writes some bytes into a data file, and its new sum into its line."""
        if plain[at : at + len(new)] == new:
            raise NotHere
        self.store(name, plain[:at] + new + plain[at + len(new) :])
        self.fit(name)
        return f"{name} at {at}"

    def another(self, name, among):
        return self.pick(other for other in among if other != name)

    def fresh(self):
        """A stamp that no file bears."""
        while True:
            stamp = (
                f"2026-{self.dice.randint(1, 9):02}-{self.dice.randint(1, 28):02}-{self.dice.randint(0, 23):02}-00-00"
            )
            if not self.names(rf"{stamp}.*"):
                return stamp


def packed(plain, level=6):
    return gzip.compress(plain, level, mtime=0)
