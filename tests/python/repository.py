"""An independent reader of repozo repositories: `repository.py FOLDER...` prints a line of JSON for each.

Written from the formats alone, on the standard library; it shares nothing with the product. A point has one verdict for
its bytes (`digest`) and one for the records in them and its saved OID index (`deep`); `index` is the SHA-256 of the
index that is to be restored with it, if one is. The codes are those that a verification should end with at either
depth.
"""

import hashlib
import json
import pathlib
import pickle
import re
import struct
import sys
import zlib

import pieces

STAMP = r"\d{4}(?:-\d\d){5}"
DATA = re.compile(rf"({STAMP})\.(delta)?fs(z)?")
LINE = re.compile(rb"\s*(.*\S)\s+(\d+)\s+(\d+)\s+([0-9a-fA-F]{32})\s*", re.DOTALL)
SOUND, DAMAGED, DOUBTFUL = 0, 1, 3


class Fault(Exception):
    """What is wrong, in a word or two."""


def gunzip(raw):
    """All members; zeros may follow the last one."""
    if not raw:
        raise Fault("empty gzip")
    return pieces.joined(raw, lambda: zlib.decompressobj(wbits=31), zlib.error, "gzip", Fault, padding=b"\0")


class Records:
    """The transactions of a FileStorage, taken piece after piece: where each object's newest record lies.

    `contradiction` is the first record that has its place but names another than the one before it.
    """

    def __init__(self):
        self.index, self.at, self.contradiction = {}, 0, None

    def take(self, data):
        """Goes on to the end of `data`, the file from its first byte, which must be the end of a transaction."""
        if self.at == 0:
            if data[:4] not in (b"FS30", b"FS21"):
                raise Fault("magic")
            self.at = 4
        while self.at < len(data):
            self.at = self.transaction(data, self.at)

    def transaction(self, data, at):
        if len(data) - at < 23:
            raise Fault("header of a transaction")
        tid, length, status, *texts = struct.unpack(">8sQcHHH", data[at : at + 23])
        end = at + length
        if end + 8 > len(data) or status == b"c" or tid == b"\xff" * 8 or status > b"\x7f" or length < 23 + sum(texts):
            raise Fault("transaction")
        if data[end : end + 8] != data[at + 8 : at + 16]:
            raise Fault("second length")
        found, record = [], at + 23 + sum(texts)
        while status != b"u" and record < end:
            oid, record_end = self.record(data, record, at, end, status)
            found.append((oid, record))
            record = record_end
        self.index.update(found)
        return end + 8

    def record(self, data, at, transaction, limit, status):
        if limit - at < 42:
            raise Fault("header of a record")
        oid, _, previous, home, version, length = struct.unpack(">8s8sQQHQ", data[at : at + 42])
        end = at + 42 + (length or 8)
        if version or end > limit or home != transaction:
            raise Fault("record")
        if previous and previous != self.index.get(oid):
            self.contradiction = self.contradiction or "previous record"
        if not length:
            back = struct.unpack(">Q", data[at + 42 : end])[0]
            if back and not 27 <= back < at:
                self.contradiction = self.contradiction or "back pointer"
        return oid, end


def saved_index(raw):
    """What a saved OID index says: up to which byte, and where each object's record lies."""
    try:
        raw, told = memoryview(raw), []
        while not told or told[-1] is not None:
            reader = Reader(raw)
            told.append(Plain(reader).load())
            raw = raw[reader.at :]
    except Exception as error:
        raise Fault("pickle of an index") from error
    if len(told) < 2:
        raise Fault("form of an index")
    position, *buckets, _ = told
    if raw or type(position) is not int:
        raise Fault("form of an index")
    index, last = {}, b""
    for bucket in buckets:
        if type(bucket) is not tuple or len(bucket) != 2 or not all(type(part) is bytes for part in bucket):
            raise Fault("form of an index")
        prefix, body = bucket
        count = len(body) // 8
        keys = [body[2 * at : 2 * at + 2] for at in range(count)]
        if len(prefix) != 6 or len(body) % 8 or not count or prefix <= last and index or keys != sorted(set(keys)):
            raise Fault("bucket of an index")
        for at, key in enumerate(keys):
            index[prefix + key] = int.from_bytes(body[2 * count + 6 * at :][:6], "big")
        last = prefix
    return position, index


def written_index(position, index):
    """The bytes of a saved OID index."""

    def number(value):
        for opcode, width, least in ((b"K", 1, 0), (b"M", 2, 1 << 8), (b"J", 4, 1 << 16)):
            if least <= value < 1 << 8 * width - (width == 4):
                return opcode + value.to_bytes(width, "little")
        digits = value.to_bytes(value.bit_length() // 8 + 1, "little")
        return b"\x8a" + bytes([len(digits)]) + digits

    def string(some):
        return (b"C" + bytes([len(some)]) if len(some) < 256 else b"B" + struct.pack("<I", len(some))) + some

    written = b"\x80\x03" + number(position) + b"."
    for prefix in sorted({oid[:6] for oid in index}):
        oids = sorted(oid for oid in index if oid[:6] == prefix)
        bucket = b"".join(oid[6:] for oid in oids) + b"".join(index[oid].to_bytes(6, "big") for oid in oids)
        written += b"\x80\x03" + string(prefix) + string(bucket) + b"\x86."
    return written + b"\x80\x03N."


class Plain(pickle.Unpickler):
    """Reads numbers, strings and tuples, and never an object of a class."""

    def find_class(self, *name):
        raise Fault("a class in an index")


class Reader:
    """A file that knows how far it was read, and is never read ahead."""

    def __init__(self, raw):
        self.raw, self.at = raw, 0

    def read(self, size=-1):
        some = bytes(self.raw[self.at :] if size < 0 else self.raw[self.at : self.at + size])
        self.at += len(some)
        return some

    def readline(self):
        rest = bytes(self.raw[self.at :])
        return self.read(rest.find(b"\n") + 1 or len(rest))


class Repository:
    """A repository that is read, never written."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        names = sorted(path.name for path in self.root.iterdir() if not path.is_dir())
        self.data = [found for found in map(DATA.fullmatch, names) if found]
        self.indices = {name.removesuffix(".index") for name in names if re.fullmatch(rf"{STAMP}\.index", name)}
        dats = {name.removesuffix(".dat") for name in names if re.fullmatch(rf"{STAMP}\.dat", name)}
        self.folders = {path.name for path in self.root.iterdir() if path.is_dir()}
        self.damage = self.doubt = False
        # Whether the newest chain may have had newer points than it names.
        self.hidden = False
        self.points = {}
        begins = sorted(dats | {found[1] for found in self.data if not found[2]})
        for found in self.data:
            if not begins or found[1] < begins[0]:
                # An increment that no full backup precedes.
                self.damage = True
                self.lose(found[1], "no full backup")
        for begin, limit in zip(begins, [*begins[1:], None]):
            self.hidden = False
            files = {found[0] for found in self.data if begin <= found[1] and (limit is None or found[1] < limit)}
            if begin in dats:
                self.chain(begin, limit, files)
            elif files:
                self.unlisted(files)

    def lose(self, stem, why):
        self.points[stem] = {"digest": why, "deep": why}

    def unlisted(self, files):
        for file in files:
            self.doubt = True
            self.points.setdefault(file[:19], {"digest": "unlisted", "deep": "unlisted"})

    def chain(self, begin, limit, files):
        lines = (self.root / f"{begin}.dat").read_bytes().split(b"\n")
        torn = lines.pop()
        lines = [line for line in lines if line.removesuffix(b"\r")]
        last, named, why, broken, data, records = None, set(), None, None, b"", Records()
        if not lines and not torn:
            self.doubt = self.hidden = True
        for line in [*lines, torn] if torn else lines:
            found = LINE.fullmatch(line)
            start, end = (int(found[2]), int(found[3])) if found else (0, 0)
            if not found or end < start or end >= 1 << 64:
                self.damage = self.hidden = True
                if line is not torn:
                    why = why or "line"
                continue
            file = re.split(rb"[/\\]", found[1])[-1].decode("latin-1")
            name = DATA.fullmatch(file)
            if not name or last and (name[2] is None or limit and name[1] >= limit or name[1] <= last[0]):
                self.damage, self.hidden, why = True, True, why or "name in a line"
                continue
            if not last and (name[2] or name[1] != begin or start):
                self.damage, why = True, why or "no full backup"
            if last and start != last[1]:
                self.damage, why = True, why or "gap or overlap"
            last = (name[1], end)
            if file in files:
                named.add(file)
            fault = self.piece(file, file in files, end - start, found[4].decode().lower())
            if file in self.folders:
                # What cannot be read is not damaged.
                self.doubt, why = True, why or fault
            elif type(fault) is str:
                self.damage, why = True, why or fault
            if why:
                if begin <= name[1] and not (limit and name[1] >= limit):
                    self.lose(name[1], why)
                else:
                    self.hidden = True
                continue
            data += fault
            broken = self.point(name[1], data, records, broken)
        self.unlisted(files - named)

    def piece(self, file, there, length, digest):
        """The bytes of a data file, or what is wrong with them."""
        if not there:
            return "missing file"
        try:
            raw = (self.root / file).read_bytes()
            plain = gunzip(raw) if file.endswith("z") else raw
        except Fault as fault:
            return str(fault)
        if len(plain) != length:
            return "length"
        return plain if hashlib.md5(plain).hexdigest() == digest else "digest"

    def point(self, stem, data, records, broken):
        """Judges records and index of a point whose bytes are right; gives why no later record can be read, if so."""
        try:
            if not broken:
                records.take(data)
        except Fault as fault:
            broken = str(fault)
        deep = broken or records.contradiction
        point = {"digest": "sound", "deep": deep or "sound", "sum": hashlib.sha256(data).hexdigest(), "index": None}
        if not broken and stem in self.indices:
            right = written_index(len(data), records.index)
            point["index"] = hashlib.sha256(right).hexdigest()
            try:
                if saved_index((self.root / f"{stem}.index").read_bytes()) != (len(data), records.index):
                    raise Fault("index")
            except Fault as fault:
                point["deep"] = deep or str(fault)
        self.points[stem] = point
        return broken

    def judged(self):
        """The points by their stamps, and the exit code at either depth."""
        deep = [point["deep"] for point in self.points.values() if point["digest"] == "sound"]
        damaged = self.damage or any(why != "sound" for why in deep)
        codes = [
            DAMAGED if damage else DOUBTFUL if self.doubt or not self.points else SOUND
            for damage in (self.damage, damaged)
        ]
        newest = max([*self.points, *(found[1] for found in self.data)], default="")
        return {"points": self.points, "newest": newest, "hidden": self.hidden, "digest": codes[0], "deep": codes[1]}


def main():
    for folder in sys.argv[1:]:
        print(json.dumps(Repository(folder).judged()))


if __name__ == "__main__":
    main()
