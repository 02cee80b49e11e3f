"""Damages of the chunks and indices of a datastore that leave the structure around them valid."""

import os
import shutil
import struct

import datastore
import datastore_made
from datastore import Key
from differ import NotHere
from stores_made import MAGICS, packed, sealed_with, with_sum


# Chunks.


def chunk_gone(made):
    return made.remove(made.chunk())


def chunks_exchanged(made):
    path, other = made.chunk(), made.chunk()
    if path == other:
        raise NotHere
    made.swap(path, other)
    return f"{path} and {other}"


def chunk_of_another(made):
    path, other = made.chunk(), made.chunk()
    made.write(path, made.read(other))
    return f"{path} as {other}"


def chunk_flipped(made):
    return made.flip(made.chunk())


def chunk_flipped_with_its_sum(made):
    path = made.chunk()
    raw = made.read(path)
    made.write(path, with_sum(raw[:12] + made.some_byte(raw[12:])))
    return path


def chunk_of_other_data(made):
    path = made.chunk()
    data = made.opened(path)
    other = made.dice.choice([made.some_byte(data) if data else b"x", data[:-1], data + b"\0", bytes(len(data))])
    made.write(path, datastore_made.blob(other, datastore.is_sealed(made.read(path))))
    return path


def chunk_cut(made):
    path = made.chunk()
    raw = made.cut(made.read(path))
    made.write(path, with_sum(raw) if made.dice.random() < 0.5 and len(raw) > 44 else raw)
    return path


def chunk_grown(made):
    path = made.chunk()
    raw = made.read(path) + made.dice.choice([b"\0", b"more", packed(b"more"), packed(b"")])
    made.write(path, with_sum(raw) if made.dice.random() < 0.7 else raw)
    return path


def chunk_with_another_magic(made):
    path = made.chunk()
    raw = made.dice.choice(MAGICS) + made.read(path)[8:]
    made.write(path, with_sum(raw) if made.dice.random() < 0.5 and len(raw) > 44 else raw)
    return path


def chunk_seal_flipped(made):
    path = made.chunk(sealed=True)
    raw = made.read(path)
    made.write(path, raw[:12] + made.some_byte(raw[12:44]) + raw[44:])
    return path


def chunk_of_another_key(made):
    path = made.chunk(sealed=True)
    made.write(path, sealed_with(Key(bytes(range(32))), made.opened(path), made.dice.randbytes(16)))
    return path


def chunk_in_another_mode(made):
    """What is encrypted lies there open, or the other way."""
    path = made.chunk()
    made.write(path, datastore_made.blob(made.opened(path), not datastore.is_sealed(made.read(path))))
    return path


def chunk_in_another_folder(made):
    path = made.chunk()
    made.write(f".chunks/{made.dice.randrange(1 << 16):04x}/{path[-64:]}", made.read(path))
    made.remove(path)
    return path


def chunk_set_aside(made):
    path = made.chunk()
    (made.root / path).rename(made.root / f"{path}.0.bad")
    return path


def all_chunks_of_a_folder_gone(made):
    folder = os.path.dirname(made.chunk())
    shutil.rmtree(made.root / folder)
    return folder


# Indices.


def split(made, path):
    """The header of an index, and its entries."""
    raw, width = made.read(path), 32 if path.endswith("fidx") else 40
    if len(raw) <= 4096:
        raise NotHere
    return raw[:4096], [raw[at : at + width] for at in range(4096, len(raw), width)]


def entries_exchanged(made):
    path = made.index()
    head, entries = split(made, path)
    if len(entries) < 2:
        raise NotHere
    one, other = made.dice.sample(range(len(entries)), 2)
    first, second = entries[one], entries[other]
    entries[one], entries[other] = first[:-32] + second[-32:], second[:-32] + first[-32:]
    return made.change_index(path, head + b"".join(entries))


def entry_of_another(made):
    path = made.index()
    head, entries = split(made, path)
    at = made.dice.randrange(len(entries))
    digest = made.dice.choice([bytes.fromhex(made.chunk()[-64:]), made.dice.randbytes(32)])
    entries[at] = entries[at][:-32] + digest
    return made.change_index(path, head + b"".join(entries))


def entry_lost_or_doubled(made):
    path = made.index()
    head, entries = split(made, path)
    at = made.dice.randrange(len(entries))
    entries[at : at + 1] = made.dice.choice([[], [entries[at]] * 2])
    return made.change_index(path, head + b"".join(entries))


def end_changed(made):
    path = made.index("didx")
    head, entries = split(made, path)
    at = made.dice.randrange(len(entries))
    end = struct.unpack("<Q", entries[at][:8])[0] + made.dice.choice([-1, 1, 1000, -1000, 1 << 30])
    entries[at] = struct.pack("<Q", max(0, end)) + entries[at][8:]
    return made.change_index(path, head + b"".join(entries))


def size_changed(made):
    path = made.index("fidx")
    raw = made.read(path)
    size = struct.unpack("<Q", raw[64:72])[0] + made.dice.choice([-1, 1, 1000, -5000, 1 << 40])
    return made.change_index(path, raw[:64] + struct.pack("<Q", max(0, size)) + raw[72:])


def unit_changed(made):
    """The length of the chunks, and mostly the size with it."""
    path = made.index("fidx")
    raw = made.read(path)
    size, unit = struct.unpack("<QQ", raw[64:80])
    factor = made.dice.choice([2, 4, 1 << 14, 1 << 20])
    if made.dice.random() < 0.5:
        size = min(size * factor, (1 << 64) - 1)
    return made.change_index(path, raw[:64] + struct.pack("<QQ", size, min(unit * factor, (1 << 64) - 1)) + raw[80:])


def index_flipped(made):
    return made.flip(made.index())


def index_header_flipped(made):
    path = made.index()
    raw = made.read(path)
    made.write(path, made.some_byte(raw[:64]) + raw[64:])
    return path


def index_cut(made):
    path = made.index()
    return made.change_index(path, made.read(path)[: 4096 + made.dice.choice([0, 1, 31, 32, 40])])


def index_grown(made):
    path = made.index()
    return made.change_index(path, made.read(path) + made.dice.choice([b"\0", bytes(32), bytes(40)]))


def index_of_another(made):
    path = made.index()
    other = made.index(path[-4:])
    raw = made.read(other)
    made.write(path, raw)
    if made.dice.random() < 0.5:
        made.fit(path)
    return f"{path} as {other}"


def index_gone(made):
    return made.remove(made.index())


DAMAGES = [
    chunk_gone,
    chunks_exchanged,
    chunk_of_another,
    chunk_flipped,
    chunk_flipped_with_its_sum,
    chunk_of_other_data,
    chunk_cut,
    chunk_grown,
    chunk_with_another_magic,
    chunk_seal_flipped,
    chunk_of_another_key,
    chunk_in_another_mode,
    chunk_in_another_folder,
    chunk_set_aside,
    all_chunks_of_a_folder_gone,
    entries_exchanged,
    entry_of_another,
    entry_lost_or_doubled,
    end_changed,
    size_changed,
    unit_changed,
    index_flipped,
    index_header_flipped,
    index_cut,
    index_grown,
    index_of_another,
    index_gone,
]
