"""Damages of a repozo repository that leave the structure around them valid: each changes a copy, and says what it
did."""

import hashlib
import os
import re
import struct

from differ import NotHere
from repositories_made import NAME, packed


# The lines of an index.


def line_dropped(made):
    dat, lines = made.lines()
    del lines[made.pick(range(len(lines)))]
    made.write_lines(dat, lines)
    return dat


def last_line_dropped(made):
    dat, lines = made.lines(2)
    made.write_lines(dat, lines[:-1])
    return dat


def line_doubled(made):
    dat, lines = made.lines()
    at = made.pick(range(len(lines)))
    lines.insert(at, lines[at])
    made.write_lines(dat, lines)
    return dat


def lines_swapped(made):
    dat, lines = made.lines(2)
    at = made.pick(range(len(lines) - 1))
    lines[at], lines[at + 1] = lines[at + 1], lines[at]
    made.write_lines(dat, lines)
    return dat


def line_of_another_chain(made):
    dat, lines = made.lines()
    other = made.another(dat, made.dats())
    lines.append(made.pick(made.read(other).splitlines(keepends=True)))
    made.write_lines(dat, lines)
    return dat


def offset_changed(made):
    dat, lines, at, fields = made.line()
    which = made.dice.choice([1, 2])
    fields[which] = b"%d" % max(0, int(fields[which]) + made.dice.choice([-1, 1, 8, -1000, 1 << 64]))
    made.write_line(dat, lines, at, fields)
    return f"{dat} line {at + 1}"


def border_moved(made):
    """Two neighbours meet elsewhere."""
    dat, lines = made.lines(2)
    at = made.pick(range(len(lines) - 1))
    first, second = lines[at].split(), lines[at + 1].split()
    if len(first) != 4 or len(second) != 4 or not first[2].isdigit():
        raise NotHere
    first[2] = second[1] = b"%d" % (int(first[2]) + made.dice.choice([-1, 1, 50]))
    lines[at : at + 2] = [b" ".join(first) + b"\n", b" ".join(second) + b"\n"]
    made.write_lines(dat, lines)
    return f"{dat} line {at + 1}"


def sum_changed(made):
    dat, lines, at, fields = made.line()
    fields[3] = made.dice.choice([hashlib.md5(b"x").hexdigest().encode(), fields[3][:-1], fields[3][::-1], b"x" * 32])
    made.write_line(dat, lines, at, fields)
    return f"{dat} line {at + 1}"


def sums_exchanged(made):
    dat, lines = made.lines(2)
    one, other = made.dice.sample(range(len(lines)), 2)
    first, second = lines[one].split(), lines[other].split()
    if len(first) != 4 or len(second) != 4:
        raise NotHere
    first[3], second[3] = second[3], first[3]
    lines[one], lines[other] = b" ".join(first) + b"\n", b" ".join(second) + b"\n"
    made.write_lines(dat, lines)
    return dat


def name_changed(made):
    dat, lines, at, fields = made.line()
    path, name = os.path.split(fields[0])
    parts = NAME.fullmatch(name.decode(errors="replace"))
    if not parts:
        raise NotHere
    stamp, delta, packing = parts.groups()
    changed = made.dice.choice(
        [
            made.pick(made.data()),
            f"{made.fresh()}.{delta}fs{packing}",
            f"{stamp}.{delta}fs{'' if packing else 'z'}",
            f"{stamp}.{'' if delta else 'delta'}fs{packing}",
            f"{stamp}.{delta}FS{packing}",
            "../" + name.decode(),
        ]
    )
    fields[0] = os.path.join(path, changed.encode())
    made.write_line(dat, lines, at, fields)
    return f"{dat} line {at + 1} names {changed}"


def field_lost(made):
    dat, lines, at, fields = made.line()
    del fields[made.dice.randrange(4)]
    made.write_line(dat, lines, at, fields)
    return f"{dat} line {at + 1}"


def dat_torn(made):
    dat = made.pick(made.dats())
    text = made.read(dat)
    made.write(dat, text[: max(0, len(text) - made.dice.randint(1, 60))])
    return dat


def dat_flipped(made):
    return made.flip(made.pick(made.dats()))


def dat_emptied(made):
    dat = made.pick(made.dats())
    made.write(dat, b"")
    return dat


def dat_gone(made):
    return made.remove(made.pick(made.dats()))


def dats_exchanged(made):
    dat = made.pick(made.dats())
    made.swap(dat, made.another(dat, made.dats()))


def dat_renamed(made):
    dat, stamp = made.pick(made.dats()), made.fresh()
    (made.root / dat).rename(made.root / f"{stamp}.dat")
    return f"{dat} to {stamp}"


# The data files.


def file_gone(made):
    return made.remove(made.pick(made.data()))


def file_is_a_folder(made):
    name = made.pick(made.data())
    made.remove(name)
    (made.root / name).mkdir()
    return name


def file_flipped(made):
    return made.flip(made.pick(made.data()))


def file_cut(made):
    return made.shorten(made.pick(made.data()))


def file_grown(made):
    return made.extend(made.pick(made.data()), [b"\0", b"x", made.dice.randbytes(40)])


def file_cut_at_a_border(made):
    name = made.pick(made.data())
    plain, found = made.transactions(name)
    made.store(name, plain[: made.pick(found)[0]])
    return name


def file_cut_at_a_border_with_its_line(made):
    name = made.pick(made.data())
    plain, found = made.transactions(name)
    made.store(name, plain[: made.pick(found)[made.dice.randrange(2)]])
    made.fit(name, length=True)
    return name


def files_exchanged(made):
    name = made.pick(made.data())
    other = made.another(name, [other for other in made.data() if other.endswith("z") == name.endswith("z")])
    made.swap(name, other)
    return f"{name} and {other}"


def file_of_another(made):
    name = made.pick(made.data())
    other = made.another(name, made.data())
    made.store(name, made.stored(other))
    return f"{name} as {other}"


def file_renamed(made):
    name, stamp = made.pick(made.data()), made.fresh()
    (made.root / name).rename(made.root / (stamp + name[19:]))
    return f"{name} to {stamp}"


def file_doubled(made):
    name = made.pick(made.data())
    parts = NAME.fullmatch(name)
    other = f"{parts[1]}.{parts[2]}fs{'' if parts[3] else 'z'}"
    if (made.root / other).exists():
        raise NotHere
    made.store(other, made.stored(name))
    return f"{name} as {other}"


def file_nobody_lists(made):
    name, stamp = made.pick(made.data()), made.fresh()
    made.write(stamp + name[19:], made.read(name))
    return f"{name} as {stamp}"


def packed_name_on_plain(made):
    """A plain file under the name of a packed one, or the other way."""
    name = made.pick(made.data())
    made.write(name, made.stored(name) if name.endswith("z") else packed(made.read(name)))
    return name


def member_dropped(made):
    name = made.pick(name for name in made.data() if name.endswith("z"))
    plain = made.stored(name)
    half = made.dice.randrange(len(plain) + 1)
    made.write(name, packed(plain[:half]))
    return name


def member_added(made):
    name = made.pick(name for name in made.data() if name.endswith("z"))
    made.write(name, made.read(name) + packed(made.dice.choice([b"x", made.stored(name)])))
    return name


def trailer_changed(made):
    """The checksum or the length at the end of a packed file."""
    name = made.pick(name for name in made.data() if name.endswith("z"))
    raw = made.read(name)
    if len(raw) < 18:
        raise NotHere
    made.write(name, raw[:-8] + made.some_byte(raw[-8:]))
    return name


# The records, with the sum in the line made right.


def status_changed(made):
    name = made.pick(made.data())
    plain, found = made.transactions(name)
    return made.patch(name, plain, made.pick(found)[0] + 16, made.dice.choice([b"c", b"u", b"p", b"x", b"\xff", b" "]))


def tid_changed(made):
    name = made.pick(made.data())
    plain, found = made.transactions(name)
    return made.patch(name, plain, made.pick(found)[0], made.dice.choice([bytes(8), b"\xff" * 8, b"\x04" + bytes(7)]))


def length_changed(made):
    name = made.pick(made.data())
    plain, found = made.transactions(name)
    at, end = made.pick(found)
    other = struct.pack(">Q", max(0, end - at - 8 + made.dice.choice([-1, 1, 8, -30, 1 << 40])))
    return made.patch(name, plain, made.dice.choice([at + 8, end - 8]), other)


def lengths_changed(made):
    """Both lengths of a transaction say that the next belongs to it."""
    name = made.pick(made.data())
    plain, found = made.transactions(name)
    at = made.pick(range(len(found) - 1))
    (begin, _), (_, end) = found[at], found[at + 1]
    length = struct.pack(">Q", end - begin - 8)
    return made.patch(name, plain[: end - 8] + length + plain[end:], begin + 8, length)


def texts_changed(made):
    name = made.pick(made.data())
    plain, found = made.transactions(name)
    at = made.pick(found)[0] + 17 + 2 * made.dice.randrange(3)
    return made.patch(name, plain, at, struct.pack(">H", made.dice.choice([0, 1, 42, 60_000])))


def record_changed(made):
    """One field of a record."""
    name, plain, at, _ = made.record()
    field, width = made.dice.choice([(0, 8), (8, 8), (16, 8), (24, 8), (32, 2), (34, 8)])
    old = int.from_bytes(plain[at + field : at + field + width], "big")
    new = made.dice.choice([0, 1, 27, old + 1, max(0, old - 1), 3, (1 << 8 * width) - 1]) % (1 << 8 * width)
    return made.patch(name, plain, at + field, new.to_bytes(width, "big")) + f" field {field}"


def back_pointer_changed(made):
    for _ in range(30):
        name, plain, at, end = made.record()
        if plain[at + 34 : at + 42] == bytes(8):
            new = made.dice.choice([0, 4, 26, 27, 28, at, 1 << 40])
            return made.patch(name, plain, at + 42, struct.pack(">Q", new))
    raise NotHere


def payload_changed(made):
    name, plain, at, end = made.record()
    if plain[at + 34 : at + 42] == bytes(8):
        raise NotHere
    return made.patch(name, plain, made.dice.randrange(at + 42, end), made.dice.randbytes(1))


def transactions_swapped(made):
    """Two transactions change places."""
    name = made.pick(made.data())
    plain, found = made.transactions(name)
    at = made.pick(range(len(found) - 1))
    (begin, middle), (_, end) = found[at], found[at + 1]
    return made.patch(name, plain, begin, plain[middle:end] + plain[begin:middle])


# The saved OID indices.


def index_gone(made):
    return made.remove(made.pick(made.indices()))


def index_of_another(made):
    name = made.pick(made.indices())
    other = made.another(name, made.indices())
    made.write(name, made.read(other))
    return f"{name} as {other}"


def indices_exchanged(made):
    name = made.pick(made.indices())
    made.swap(name, made.another(name, made.indices()))
    return name


def index_flipped(made):
    return made.flip(made.pick(made.indices()))


def index_cut(made):
    return made.shorten(made.pick(made.indices()))


def index_grown(made):
    return made.extend(made.pick(made.indices()), [b"\0", b"N.", b"\x80\x03N."])


def index_entry_older(made):
    """An entry leads to another record: the place of some other object, or of an older revision."""
    name = made.pick(made.indices())
    raw = made.read(name)
    at = raw.rfind(b"\x86.")
    places = [int.from_bytes(raw[at - 6 * n : at - 6 * n + 6], "big") for n in (1, 2)] if at > 16 else made.pick([])
    made.write(name, raw[: at - 6] + made.dice.choice([places[1], 27, places[0] + 8]).to_bytes(6, "big") + raw[at:])
    return name


# What hurts nothing.


def stranger(made):
    name = made.dice.choice(
        ["README", "tmp.tmp", ".highwater.lock", "2026-01-03-04-05-06.fs.part", "x.dat", "notes.index"]
    )
    made.write(name, b"anything")
    return name


def folder_beside(made):
    name = made.dice.choice(["lost+found", ".snapshot", "old"])
    (made.root / name).mkdir(exist_ok=True)
    return name


def times_touched(made):
    for path in made.root.iterdir():
        if path.is_file() and path.stat().st_nlink == 1:
            os.utime(path, (1, 1))


def marks_of_noise(made):
    name = made.pick(made.data())
    made.write(f"{name}.marks", made.dice.randbytes(made.dice.choice([0, 40, 200])))
    return name


def path_changed(made):
    dat, lines, at, fields = made.line()
    name = os.path.basename(fields[0])
    fields[0] = made.dice.choice([b"/srv/zodb/", b"", b"/my back ups/", b"C:\\repo\\", b"\xff/"]) + name
    made.write_line(dat, lines, at, fields)
    return dat


def line_ends_changed(made):
    dat, lines = made.lines()
    end = made.dice.choice([b"\r\n", b"\n\n"])
    made.write_lines(dat, [line.rstrip(b"\r\n") + end for line in lines])
    return dat


def last_line_end_lost(made):
    dat = made.pick(made.dats())
    made.write(dat, made.read(dat).rstrip(b"\r\n"))
    return dat


def sum_in_capitals(made):
    dat, lines, at, fields = made.line()
    fields[3] = fields[3].upper()
    made.write_line(dat, lines, at, fields)
    return dat


def packed_anew(made):
    name = made.pick(name for name in made.data() if name.endswith("z"))
    plain = made.stored(name)
    half = made.dice.randrange(len(plain) + 1)
    made.write(name, packed(plain[:half], 1) + packed(plain[half:], 9) + made.dice.choice([b"", bytes(600)]))
    return name


def packed_or_not(made):
    """A file is packed, or unpacked, and its line names it so."""
    name = made.pick(made.data())
    other = name[:-1] if name.endswith("z") else f"{name}z"
    if (made.root / other).exists():
        raise NotHere
    made.store(other, made.stored(name))
    made.remove(name)
    for dat in made.dats():
        made.write(
            dat, re.sub(rb"(?<![0-9])%s (?=\d)" % re.escape(name.encode()), other.encode() + b" ", made.read(dat))
        )
    return name


DAMAGES = [
    line_dropped,
    last_line_dropped,
    line_doubled,
    lines_swapped,
    line_of_another_chain,
    offset_changed,
    border_moved,
    sum_changed,
    sums_exchanged,
    name_changed,
    field_lost,
    dat_torn,
    dat_flipped,
    dat_emptied,
    dat_gone,
    dats_exchanged,
    dat_renamed,
    file_gone,
    file_is_a_folder,
    file_flipped,
    file_cut,
    file_grown,
    file_cut_at_a_border,
    file_cut_at_a_border_with_its_line,
    files_exchanged,
    file_of_another,
    file_renamed,
    file_doubled,
    file_nobody_lists,
    packed_name_on_plain,
    member_dropped,
    member_added,
    trailer_changed,
    status_changed,
    tid_changed,
    length_changed,
    lengths_changed,
    texts_changed,
    record_changed,
    record_changed,
    back_pointer_changed,
    payload_changed,
    transactions_swapped,
    index_gone,
    index_of_another,
    indices_exchanged,
    index_flipped,
    index_cut,
    index_grown,
    index_entry_older,
    stranger,
    folder_beside,
    times_touched,
    marks_of_noise,
    path_changed,
    line_ends_changed,
    last_line_end_lost,
    sum_in_capitals,
    packed_anew,
    packed_or_not,
]
