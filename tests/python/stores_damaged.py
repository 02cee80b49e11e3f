"""Damages of a datastore that leave the structure around them valid: each changes a copy, and says what it did."""

import json
import os
import shutil

import chunks_damaged
import datastore
from datastore import Key, PLAIN, ZSTD, ZSTD_SEALED
from datastore_made import framed
from differ import NotHere
from stores_made import KEY, MAGICS, packed, printed, sealed_with, with_sum


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
    name = made.dice.choice(
        ["../disk.img.fidx", "", "disk.img", "a/b.blob", ".", "disk.fidx/", "x.blob", "/etc/passwd.blob", ".fidx"]
    )
    made.pick(manifest["files"])["filename"] = name
    return made.write_manifest(snapshot, manifest) + f" {name!r}"


def told_size_or_sum_changed(made):
    snapshot = made.snapshot()
    manifest = made.manifest(snapshot)
    told = made.pick(manifest["files"])
    if made.dice.random() < 0.5:
        told["size"] += made.dice.choice([-1, 1, 4096])
    else:
        told["csum"] = made.dice.choice(
            [told["csum"][::-1], "00" * 32, told["csum"][:-2], told["csum"].upper(), "x" * 64]
        )
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
    manifest["signature"] = made.dice.choice(
        [None, "00" * 32, "", "x", (manifest.get("signature") or "ab" * 32).upper()]
    )
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
    kinds = [
        made.some_byte(raw),
        made.cut(raw),
        framed(PLAIN, b"{}"),
        framed(PLAIN, b"no JSON"),
        raw + b"\0",
        with_sum(raw[:-1]),
    ]
    made.write(path, made.dice.choice(kinds))
    return snapshot


def manifest_of_wrong_types(made):
    snapshot = made.snapshot()
    manifest = made.manifest(snapshot)
    told = made.pick(manifest["files"])
    place, field, value = made.dice.choice(
        [
            (told, "size", str(told["size"])),
            (told, "size", -1),
            (told, "size", 1.5),
            (told, "csum", None),
            (told, "filename", 7),
            (manifest, "backup-time", "now"),
            (manifest, "files", {}),
            (manifest, "signature", 5),
            (told, "crypt-mode", None),
        ]
    )
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
    return made.remove(made.blob())


def log_broken(made):
    path = made.pick(made.files(r"[^.].*/client\.log\.blob"))
    raw = made.read(path)
    made.write(path, made.dice.choice([made.some_byte(raw), made.cut(raw), b"text", framed(PLAIN, b"text")]))
    return path


# Folders.


def snapshot_renamed(made):
    snapshot = made.snapshot()
    group, time = os.path.split(snapshot)
    times = [
        time.replace(":", "_"),
        time.replace(":", "%3A"),
        time.replace(":", "\uff1a"),
        time[:-1],
        f"{time[:-3]}59Z",
        f"2026-13{time[7:]}",
    ]
    (made.root / snapshot).rename(made.root / group / (other := made.dice.choice(times)))
    return f"{snapshot} as {other}"


def group_renamed(made):
    group = os.path.dirname(made.snapshot())
    folder = made.root / group
    folder.rename(
        folder.parent / (other := made.dice.choice(["other", "a b", f"{folder.name}.old", f".{folder.name}"]))
    )
    return f"{group} as {other}"


def type_renamed(made):
    kind = os.path.dirname(os.path.dirname(made.snapshot()))
    folder = made.root / kind
    (folder).rename(
        folder.parent
        / (other := made.dice.choice(["VM", "backup", "ct" if not (folder.parent / "ct").exists() else "vms"]))
    )
    return f"{kind} as {other}"


def owner_gone(made):
    return made.remove(made.pick(made.files(r"[^.].*/owner")))


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
    made.write(
        f"{snapshot}/index.json.blob",
        framed(PLAIN, json.dumps(manifest, ensure_ascii=made.dice.random() < 0.5).encode()),
    )
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
    name = made.dice.choice(
        [
            f"{made.snapshot()}/{made.dice.choice(['extra.blob', 'notes.txt', '.protected', 'old.log'])}",
            "README",
            ".gc-status",
            "lost+found/x",
            f"{os.path.dirname(made.snapshot())}/notes",
            f"{made.chunk()}.0.bad",
            ".chunks/0000/tmp",
            f".chunks/abcd/{'ab' * 32}",
        ]
    )
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
    *chunks_damaged.DAMAGES,
    file_dropped,
    file_twice,
    names_exchanged,
    name_impossible,
    told_size_or_sum_changed,
    mode_changed,
    signature_changed,
    fingerprint_changed,
    fingerprint_changed,
    whose_changed,
    manifest_of_another,
    manifest_broken,
    manifest_of_wrong_types,
    manifest_gone,
    blob_flipped,
    blob_header_flipped,
    blob_cut,
    blob_cut_with_its_sum,
    blob_with_another_magic,
    blob_of_another,
    blob_gone,
    log_broken,
    snapshot_renamed,
    group_renamed,
    type_renamed,
    owner_gone,
    snapshot_gone,
    group_in_another_space,
    chunk_packed_or_not,
    chunk_packed_or_not,
    chunk_in_two_frames,
    blob_packed_or_not,
    manifest_written_anew,
    unsigned_changed,
    index_nobody_reads,
    stranger,
    stranger,
    space_without_anything,
    times_touched,
]
