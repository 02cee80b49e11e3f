"""Damaged datastores and what an independent reader says of each.

`differ_stores.py shapes FOLDER BINARY MADE` makes the sound ones: by datastore_made.py, whose store lies in MADE, and by the binary.
`differ_stores.py sets SHAPES FOLDER FIRST COUNT` makes one store a seed in FOLDER/SEED, does zero to five damages to it, and prints a
line of JSON. SHAPES/key.json is the key of all that is encrypted or signed.
"""

import hashlib
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import zlib

import zstandard
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import datastore
import datastore_made
import snapshots
from datastore import DYNAMIC, FIXED, PLAIN, SEALED, ZSTD, ZSTD_SEALED, Fault, Key
from datastore_made import framed
from differ import Made, NotHere, damaged, tell

KEY = datastore_made.KEY
MAGICS = [PLAIN, ZSTD, SEALED, ZSTD_SEALED, FIXED, DYNAMIC, bytes(8)]


def printed(key):
    return ":".join(f"{byte:02x}" for byte in key.fingerprint)


def make_shapes(folder, binary, made):
    """`made` is a folder that datastore_made.py filled; of its store, all but the largest image is taken."""
    datastore_made.write_keys(folder)
    shutil.copytree(made / "store", folder / "made")
    shutil.rmtree(folder / "made" / "vm" / "101")
    dice, maker = datastore_made.DICE, datastore_made.Maker(folder / "small")
    images = [dice.randbytes(3 * 4096) + datastore_made.text(2 * 4096) + bytes(4096) + dice.randbytes(100) for _ in range(2)]
    images.append(images[0][:4096] + images[1][4096:])
    pieces = [[dice.randbytes(dice.randint(1, 900)) for _ in range(4)] for _ in range(2)]
    for number, image in enumerate(images):
        time, disk = f"2026-02-0{number + 1}T03:04:05Z", [("disk.img.fidx", datastore_made.fixed(image, 4096), 4096)]
        blobs = [("qemu-server.conf.blob", datastore_made.text(200)), ("fw.conf.blob", b"")]
        maker.snapshot(f"vm/7/{time}", disk + [("efi.img.fidx", [b"efi" * 5], 64)], blobs)
        maker.snapshot(f"ns/a/ns/b/vm/7/{time}", disk, blobs[:number], sealed=True)
    for number, some in enumerate(pieces):
        tree = [("root.pxar.didx", some + pieces[0][:2], 0), ("catalog.pcat1.didx", some[:1], 0)]
        maker.snapshot(f"host/h/2026-03-0{number + 1}T03:04:05Z", tree, [("note.blob", dice.randbytes(9))], signed=number == 1)
        maker.snapshot(f"ns/a/ct/8/2026-03-0{number + 1}T03:04:05Z", tree, sealed=True)
    (folder / "small" / "store").rename(folder / "plain")
    shutil.rmtree(folder / "small")
    # One that the binary begins, and one that it goes on with.
    ours = folder / "ours"
    (ours / ".chunks").mkdir(parents=True)
    (ours / ".lock").touch()
    (ours / "vm").mkdir()
    shutil.copytree(folder / "plain", folder / "both")
    files = {name: folder / name for name in ("one.img", "two.img", "some.conf")}
    for number in range(2):
        for name, file in files.items():
            file.write_bytes(dice.randbytes(3000) + datastore_made.text(90_000) if "img" in name else datastore_made.text(300))
        back_up(binary, files, ours, "vm/100/one.img", number, "--also", f"two.img={files['two.img']}", "--also", f"some.conf={files['some.conf']}")
        back_up(binary, files, ours, "ns/x/host/h/one.img", number, "--keyfile", folder / "key.json")
        back_up(binary, files, folder / "both", "vm/7/disk.img", number, "--chunk-size", "64K")
    for file in files.values():
        file.unlink()


def back_up(binary, files, store, archive, number, *options):
    command = [binary, "backup", files["one.img"], f"{store}@{archive}", *options]
    clock = {**os.environ, "HIGHWATER_NOW": f"2026-04-0{number + 1}-03-04-05"}
    subprocess.run(command, check=True, env=clock, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def sealed_with(key, data, iv):
    shut = AESGCM(key.secret).encrypt(iv, data, None)
    return framed(SEALED, shut[:-16], iv + shut[-16:])


def packed(data):
    return zstandard.ZstdCompressor(level=3).compress(data)


class Datastore(Made):
    """A store that is being damaged."""

    def files(self, pattern):
        """The files whose paths match."""
        paths = (str(path.relative_to(self.root)) for path in self.root.rglob("*") if path.is_file())
        return sorted(path for path in paths if re.fullmatch(pattern, path))

    def chunk(self, sealed=None):
        """The path of a chunk that some index names, most often; encrypted or not, if asked."""
        chunks = self.files(r"\.chunks/[0-9a-f]{4}/[0-9a-f]{64}")
        named = [chunk for chunk in chunks if chunk[-64:] in self.named()]
        return self.pick(chunk for chunk in named or chunks if sealed is None or datastore.is_sealed(self.read(chunk)) == sealed)

    def named(self):
        """The digests in all indices."""
        found = set()
        for path in self.files(r"[^.].*\.[fd]idx"):
            body, width = self.read(path)[4096:], 32 if path.endswith("fidx") else 40
            found |= {body[at + width - 32 : at + width].hex() for at in range(0, len(body), width)}
        return found

    def opened(self, path):
        """What a blob holds."""
        try:
            return datastore.open_blob(self.read(path), KEY)
        except Fault as fault:
            raise NotHere from fault

    def index(self, kind="[fd]idx"):
        return self.pick(self.files(rf"[^.].*\.{kind}"))

    def blob(self):
        return self.pick(path for path in self.files(r"[^.].*\.blob") if not path.endswith(("index.json.blob", "client.log.blob")))

    def snapshot(self):
        return os.path.dirname(self.pick(self.files(r"[^.].*/index\.json\.blob")))

    def manifest(self, snapshot):
        try:
            manifest = json.loads(self.opened(f"{snapshot}/index.json.blob"))
            assert manifest["files"] and "unprotected" in manifest
        except Exception as error:
            raise NotHere from error
        return manifest

    def write_manifest(self, snapshot, manifest, signs=None):
        """Writes a manifest; one that was signed is signed again, if the dice say so."""
        if manifest.get("signature") and (self.dice.random() < 0.5 if signs is None else signs):
            datastore_made.sign(manifest)
        self.write(f"{snapshot}/index.json.blob", datastore_made.encoded(manifest))
        return snapshot

    def fit(self, path, sizes=True):
        """Makes the manifest agree with a file of its snapshot, with a new signature if it had one."""
        snapshot, name = os.path.split(path)
        manifest, raw = self.manifest(snapshot), self.read(path)
        for told in manifest["files"]:
            if told["filename"] == name:
                if name.endswith(".blob"):
                    told["size"], told["csum"] = len(raw), hashlib.sha256(raw).hexdigest()
                else:
                    told["csum"] = hashlib.sha256(raw[4096:]).hexdigest()
                    if sizes:
                        told["size"] = struct.unpack("<Q", raw[64:72] if name.endswith("fidx") else raw[-40:-32])[0]
        self.write_manifest(snapshot, manifest, signs=True)

    def change_index(self, path, raw):
        """Writes an index; its own checksum, and the manifest, are made right or left as they are."""
        fits = self.dice.choice(["header", "header", "both", "both", "both", "neither"])
        if fits != "neither":
            raw = raw[:32] + hashlib.sha256(raw[4096:]).digest() + raw[64:]
        self.write(path, raw)
        if fits == "both":
            self.fit(path)
        return f"{path}, {fits}"

    def change_blob(self, path, raw):
        self.write(path, raw)
        fits = self.dice.random() < 0.7
        if fits:
            self.fit(path)
        return f"{path}, {'fitting' if fits else 'not fitting'}"


def with_sum(raw):
    """A blob with the checksum of its bytes."""
    head = 44 if datastore.is_sealed(raw) else 12
    return raw[:8] + struct.pack("<I", zlib.crc32(raw[head:])) + raw[12:]


# Chunks.


def chunk_gone(made):
    path = made.chunk()
    made.remove(path)
    return path


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
    path = made.chunk()
    made.write(path, made.some_byte(made.read(path)))
    return path


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
    path = made.index()
    made.write(path, made.some_byte(made.read(path)))
    return path


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
    path = made.index()
    made.remove(path)
    return path


# Manifests.


def file_dropped(made):
    snapshot = made.snapshot()
    manifest = made.manifest(snapshot)
    if len(manifest["files"]) < 2:
        raise NotHere
    del manifest["files"][made.dice.randrange(len(manifest["files"]))]
    return made.write_manifest(snapshot, manifest)


def file_twice(made):
    snapshot = made.snapshot()
    manifest = made.manifest(snapshot)
    told = dict(made.pick(manifest["files"]))
    if made.dice.random() < 0.5:
        told["size"] += 1
    manifest["files"].append(told)
    return made.write_manifest(snapshot, manifest)


def names_exchanged(made):
    snapshot = made.snapshot()
    manifest = made.manifest(snapshot)
    if len(manifest["files"]) < 2:
        raise NotHere
    one, other = made.dice.sample(manifest["files"], 2)
    one["filename"], other["filename"] = other["filename"], one["filename"]
    return made.write_manifest(snapshot, manifest)


def name_impossible(made):
    snapshot = made.snapshot()
    manifest = made.manifest(snapshot)
    name = made.dice.choice(["../disk.img.fidx", "", "disk.img", "a/b.blob", ".", "disk.fidx/", "x.blob", "/etc/passwd.blob", ".fidx"])
    made.pick(manifest["files"])["filename"] = name
    return made.write_manifest(snapshot, manifest) + f" {name!r}"


def told_size_or_sum_changed(made):
    snapshot = made.snapshot()
    manifest = made.manifest(snapshot)
    told = made.pick(manifest["files"])
    if made.dice.random() < 0.5:
        told["size"] += made.dice.choice([-1, 1, 4096])
    else:
        told["csum"] = made.dice.choice([told["csum"][::-1], "00" * 32, told["csum"][:-2], told["csum"].upper(), "x" * 64])
    return made.write_manifest(snapshot, manifest)


def mode_changed(made):
    snapshot = made.snapshot()
    manifest = made.manifest(snapshot)
    mode = made.dice.choice(["none", "sign-only", "encrypt", "Encrypt", "other"])
    for told in made.dice.choice([manifest["files"], manifest["files"][:1]]):
        told["crypt-mode"] = mode
    return made.write_manifest(snapshot, manifest) + f" {mode}"


def signature_changed(made):
    snapshot = made.snapshot()
    manifest = made.manifest(snapshot)
    manifest["signature"] = made.dice.choice([None, "00" * 32, "", "x", (manifest.get("signature") or "ab" * 32).upper()])
    return made.write_manifest(snapshot, manifest, signs=False) + f" {manifest['signature']}"


def fingerprint_changed(made):
    """With the text, or not."""
    snapshot = made.snapshot()
    manifest = made.manifest(snapshot)
    print_ = made.dice.choice([None, None, printed(Key(bytes(32))), "abc", printed(KEY)])
    manifest["unprotected"].pop("key-fingerprint", None)
    if print_:
        manifest["unprotected"]["key-fingerprint"] = print_
    if made.dice.random() < 0.6 and len(manifest["files"]) > 1:
        one, other = made.dice.sample(manifest["files"], 2)
        for field in ("size", "csum"):
            if one["filename"][-4:] == other["filename"][-4:]:
                one[field], other[field] = other[field], one[field]
    if made.dice.random() < 0.3:
        manifest["files"].pop(0)
    if not manifest["files"]:
        raise NotHere
    return made.write_manifest(snapshot, manifest, signs=False) + f" {print_}"


def whose_changed(made):
    snapshot = made.snapshot()
    manifest = made.manifest(snapshot)
    field = made.dice.choice(["backup-time", "backup-id", "backup-type"])
    manifest[field] = {"backup-time": manifest["backup-time"] + 1, "backup-id": "other", "backup-type": "ct"}[field]
    return made.write_manifest(snapshot, manifest) + f" {field}"


def manifest_of_another(made):
    snapshot, other = made.snapshot(), made.snapshot()
    made.write(f"{snapshot}/index.json.blob", made.read(f"{other}/index.json.blob"))
    return f"{snapshot} as {other}"


def manifest_broken(made):
    snapshot = made.snapshot()
    path = f"{snapshot}/index.json.blob"
    raw = made.read(path)
    kinds = [made.some_byte(raw), made.cut(raw), framed(PLAIN, b"{}"), framed(PLAIN, b"no JSON"), raw + b"\0", with_sum(raw[:-1])]
    made.write(path, made.dice.choice(kinds))
    return snapshot


def manifest_of_wrong_types(made):
    snapshot = made.snapshot()
    manifest = made.manifest(snapshot)
    told = made.pick(manifest["files"])
    place, field, value = made.dice.choice([
        (told, "size", str(told["size"])), (told, "size", -1), (told, "size", 1.5), (told, "csum", None), (told, "filename", 7),
        (manifest, "backup-time", "now"), (manifest, "files", {}), (manifest, "signature", 5), (told, "crypt-mode", None),
    ])
    place[field] = value
    return made.write_manifest(snapshot, manifest, signs=False) + f" {field}"


def manifest_gone(made):
    snapshot = made.snapshot()
    made.remove(f"{snapshot}/index.json.blob")
    return snapshot


# Blobs, most often with a manifest that agrees.


def blob_flipped(made):
    path = made.blob()
    return made.change_blob(path, made.some_byte(made.read(path)))


def blob_header_flipped(made):
    path = made.blob()
    raw = made.read(path)
    head = 44 if datastore.is_sealed(raw) else 12
    return made.change_blob(path, made.some_byte(raw[:head]) + raw[head:])


def blob_cut(made):
    path = made.blob()
    return made.change_blob(path, made.cut(made.read(path)))


def blob_cut_with_its_sum(made):
    path = made.blob()
    raw = made.read(path)
    if len(raw) < 50:
        raise NotHere
    return made.change_blob(path, with_sum(raw[: made.dice.randrange(44, len(raw))]))


def blob_with_another_magic(made):
    path = made.blob()
    raw = made.dice.choice(MAGICS) + made.read(path)[8:]
    return made.change_blob(path, with_sum(raw) if len(raw) > 44 else raw)


def blob_of_another(made):
    path = made.blob()
    return made.change_blob(path, made.read(made.blob()))


def blob_gone(made):
    path = made.blob()
    made.remove(path)
    return path


def log_broken(made):
    path = made.pick(made.files(r"[^.].*/client\.log\.blob"))
    raw = made.read(path)
    made.write(path, made.dice.choice([made.some_byte(raw), made.cut(raw), b"text", framed(PLAIN, b"text")]))
    return path


# Folders.


def snapshot_renamed(made):
    snapshot = made.snapshot()
    group, time = os.path.split(snapshot)
    times = [time.replace(":", "_"), time.replace(":", "%3A"), time.replace(":", "\uff1a"), time[:-1], f"{time[:-3]}59Z", f"2026-13{time[7:]}"]
    (made.root / snapshot).rename(made.root / group / (other := made.dice.choice(times)))
    return f"{snapshot} as {other}"


def group_renamed(made):
    group = os.path.dirname(made.snapshot())
    folder = made.root / group
    folder.rename(folder.parent / (other := made.dice.choice(["other", "a b", f"{folder.name}.old", f".{folder.name}"])))
    return f"{group} as {other}"


def type_renamed(made):
    kind = os.path.dirname(os.path.dirname(made.snapshot()))
    folder = made.root / kind
    (folder).rename(folder.parent / (other := made.dice.choice(["VM", "backup", "ct" if not (folder.parent / "ct").exists() else "vms"])))
    return f"{kind} as {other}"


def owner_gone(made):
    path = made.pick(made.files(r"[^.].*/owner"))
    made.remove(path)
    return path


def snapshot_gone(made):
    snapshot = made.snapshot()
    shutil.rmtree(made.root / snapshot)
    return snapshot


# What hurts nothing.


def group_in_another_space(made):
    """Nothing in a snapshot says in which namespace it lies."""
    group = os.path.dirname(made.snapshot())
    kind = group.split("/")[-2]
    target = made.root / "ns" / f"n{made.dice.randrange(1000)}" / kind
    target.mkdir(parents=True)
    if made.dice.random() < 0.5:
        (made.root / group).rename(target / os.path.basename(group))
    else:
        shutil.copytree(made.root / group, target / os.path.basename(group), copy_function=os.link)
    return group


def chunk_packed_or_not(made):
    """The same data, written in another way that is right too."""
    path = made.chunk()
    raw, data = made.read(path), made.opened(path)
    plain = made.dice.random() < 0.5
    if datastore.is_sealed(raw):
        shut = sealed_with(KEY, data if plain else packed(data), made.dice.randbytes(16))
        made.write(path, shut if plain else ZSTD_SEALED + shut[8:])
    else:
        made.write(path, framed(PLAIN, data) if plain else framed(ZSTD, packed(data)))
    return path


def chunk_in_two_frames(made):
    path = made.chunk(sealed=False)
    data = made.opened(path)
    half = made.dice.randrange(len(data) + 1)
    made.write(path, framed(ZSTD, packed(data[:half]) + packed(data[half:])))
    return path


def blob_packed_or_not(made):
    path = made.blob()
    raw, data = made.read(path), made.opened(path)
    if datastore.is_sealed(raw):
        raw = sealed_with(KEY, data, made.dice.randbytes(16))
    else:
        raw = made.dice.choice([framed(PLAIN, data), framed(ZSTD, packed(data))])
    made.write(path, raw)
    made.fit(path)
    return path


def manifest_written_anew(made):
    """Other white space, no compression, unknown keys where nobody signs."""
    snapshot = made.snapshot()
    manifest = made.manifest(snapshot)
    if not manifest.get("signature"):
        manifest["another"] = {"key": [1, "\u00e9"]}
    made.write(f"{snapshot}/index.json.blob", framed(PLAIN, json.dumps(manifest, ensure_ascii=made.dice.random() < 0.5).encode()))
    return snapshot


def unsigned_changed(made):
    snapshot = made.snapshot()
    manifest = made.manifest(snapshot)
    manifest["unprotected"]["notes"] = "changed"
    manifest["unprotected"]["verify_state"] = made.dice.choice([None, {"state": "failed", "upid": "UPID:x"}, 7])
    return made.write_manifest(snapshot, manifest, signs=False)


def index_nobody_reads(made):
    """The random identity, the time, and what is reserved."""
    path = made.index()
    raw = bytearray(made.read(path))
    if len(raw) < 4096:
        raise NotHere
    raw[made.dice.choice([8, 20, 24, 31, 80, 4095])] ^= 0x55
    made.write(path, bytes(raw))
    return path


def stranger(made):
    name = made.dice.choice([
        f"{made.snapshot()}/{made.dice.choice(['extra.blob', 'notes.txt', '.protected', 'old.log'])}", "README", ".gc-status", "lost+found/x",
        f"{os.path.dirname(made.snapshot())}/notes", f"{made.chunk()}.0.bad", ".chunks/0000/tmp", f".chunks/abcd/{'ab' * 32}",
    ])
    made.write(name, b"anything")
    return name


def space_without_anything(made):
    (made.root / "ns" / "empty" / "vm" / "1").mkdir(parents=True, exist_ok=True)


def times_touched(made):
    path = made.index()
    made.write(path, made.read(path))
    os.utime(made.root / path, (1, 1))
    return path


DAMAGES = [
    chunk_gone, chunks_exchanged, chunk_of_another, chunk_flipped, chunk_flipped_with_its_sum, chunk_of_other_data, chunk_cut, chunk_grown,
    chunk_with_another_magic, chunk_seal_flipped, chunk_of_another_key, chunk_in_another_mode, chunk_in_another_folder, chunk_set_aside,
    all_chunks_of_a_folder_gone, entries_exchanged, entry_of_another, entry_lost_or_doubled, end_changed, size_changed, unit_changed,
    index_flipped, index_header_flipped, index_cut, index_grown, index_of_another, index_gone, file_dropped, file_twice, names_exchanged,
    name_impossible, told_size_or_sum_changed, mode_changed, signature_changed, fingerprint_changed, fingerprint_changed, whose_changed,
    manifest_of_another, manifest_broken, manifest_of_wrong_types, manifest_gone, blob_flipped, blob_header_flipped, blob_cut,
    blob_cut_with_its_sum, blob_with_another_magic, blob_of_another, blob_gone, log_broken, snapshot_renamed, group_renamed, type_renamed,
    owner_gone, snapshot_gone, group_in_another_space, chunk_packed_or_not, chunk_packed_or_not, chunk_in_two_frames, blob_packed_or_not,
    manifest_written_anew, unsigned_changed, index_nobody_reads, stranger, stranger, space_without_anything, times_touched,
]


def make_sets(shapes, folder, first, count):
    for seed in range(first, first + count):
        made, shape, told = damaged(shapes, folder / str(seed), seed, Datastore, DAMAGES)
        judged = {name: snapshots.Judge(made.root, key).judged() for name, key in (("open", None), ("keyed", KEY))}
        tell(seed=seed, shape=shape, damages=told, **judged)


def main():
    word, *rest = sys.argv[1:]
    if word == "shapes":
        make_shapes(pathlib.Path(rest[0]), rest[1], pathlib.Path(rest[2]))
    else:
        make_sets(pathlib.Path(rest[0]), pathlib.Path(rest[1]), int(rest[2]), int(rest[3]))


main()
