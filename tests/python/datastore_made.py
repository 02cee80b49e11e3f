"""Makes a small datastore of every kind of snapshot, with its truth, its keys and its damages: `datastore_made.py
FOLDER`.

FOLDER/store is the store, FOLDER/truth the keys and checksums of what it holds, FOLDER/cases.json the damages with whom
each hurts, said by hand and agreed to by the reader in datastore.py. All of it is the same on every run. `--compare
FOLDER` asks the reader about the cases of such a folder, whoever made it.
"""

import base64
import calendar
import hashlib
import hmac
import json
import pathlib
import random
import shutil
import struct
import sys
import tempfile
import time
import zlib

import zstandard
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import datastore
import pcat1
import pxar
from datastore import FIXED, DYNAMIC, PLAIN, SEALED, ZSTD, ZSTD_SEALED, Key

DICE = random.Random(7)
KEY = Key(bytes(DICE.randbytes(32)))
WORDS = [bytes(DICE.choices(b"abcdefghijklmnopqrstuvwxyz", k=DICE.randint(2, 9))) for _ in range(300)]
VM, VM_NEXT, VM_LARGE = "vm/100/2025-06-16T15:06:40Z", "vm/100/2025-06-16T16:06:40Z", "vm/101/2025-06-16T15:07:40Z"
CT, HOST = "ct/200/2025-06-16T15:08:40Z", "host/beta/2025-06-16T15:09:40Z"
SEALED_CT, SEALED_VM = "ns/team/ns/a/ct/201/2025-06-16T15:10:40Z", "ns/team/ns/a/vm/300/2025-06-16T15:11:40Z"
SIGNED = "ns/team/host/signed/2025-06-16T15:12:40Z"


def text(length):
    return b" ".join(DICE.choices(WORDS, k=length // 3))[:length]


def framed(kind, data, seal=b""):
    return kind + struct.pack("<I", zlib.crc32(data)) + seal + data


def blob(data, sealed=False):
    packed = zstandard.ZstdCompressor(level=1).compress(data)
    small = len(packed) <= len(data)
    inner = packed if small else data
    if not sealed:
        return framed(ZSTD if small else PLAIN, inner)
    iv = DICE.randbytes(16)
    shut = AESGCM(KEY.secret).encrypt(iv, inner, None)
    return framed(ZSTD_SEALED if small else SEALED, shut[:-16], iv + shut[-16:])


def fixed(data, unit):
    return [data[at : at + unit] for at in range(0, len(data), unit)]


def dynamic(data):
    pieces, at = [], 0
    while at < len(data):
        length = DICE.randint(16_384, 262_144)
        pieces.append(data[at : at + length])
        at += length
    return pieces


def header(kind, checksum, *more):
    head = kind + DICE.randbytes(16) + struct.pack("<q", 1_750_086_400) + checksum
    return (head + struct.pack(f"<{len(more)}Q", *more)).ljust(4096, b"\0")


def encoded(manifest):
    return framed(
        ZSTD, zstandard.ZstdCompressor(level=1).compress(json.dumps(manifest, indent=2, sort_keys=True).encode())
    )


def made_index(digests, lengths, unit):
    if unit:
        body = b"".join(digests)
        return header(FIXED, hashlib.sha256(body).digest(), sum(lengths), unit) + body
    ends = [sum(lengths[: at + 1]) for at in range(len(lengths))]
    body = b"".join(struct.pack("<Q", end) + digest for end, digest in zip(ends, digests))
    return header(DYNAMIC, hashlib.sha256(body).digest()) + body


class Maker:
    """The store as it grows."""

    def __init__(self, folder):
        self.store, self.truth = folder / "store", folder / "truth"
        (self.store / ".chunks").mkdir(parents=True)
        (self.store / ".lock").touch()

    def chunk(self, data, sealed):
        digest = hashlib.sha256(data + (KEY.identity if sealed else b"")).digest()
        path = self.store / ".chunks" / digest.hex()[:4] / digest.hex()
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(blob(data, sealed))
        return digest

    def snapshot(self, name, archives, blobs=(), sealed=False, signed=False):
        """`archives`: (name, pieces, unit of a fixed index or 0); `blobs`: (name, data)."""
        folder, files, mode = self.store / name, [], "encrypt" if sealed else "sign-only" if signed else "none"
        folder.mkdir(parents=True)
        (folder.parent / "owner").write_text("root@pam\n")
        for archive, pieces, unit in archives:
            digests = [self.chunk(piece, sealed) for piece in pieces]
            raw = made_index(digests, [len(piece) for piece in pieces], unit)
            (folder / archive).write_bytes(raw)
            data = b"".join(pieces)
            files.append({"filename": archive, "crypt-mode": mode, "size": len(data), "csum": raw[32:64].hex()})
            self.tell(name, archive, data)
        for blob_name, data in blobs:
            raw = blob(data, sealed)
            (folder / blob_name).write_bytes(raw)
            files.append(
                {"filename": blob_name, "crypt-mode": mode, "size": len(raw), "csum": hashlib.sha256(raw).hexdigest()}
            )
            self.tell(name, blob_name, data)
        (folder / "client.log.blob").write_bytes(blob(text(400), sealed))
        kind, identity, when = name.split("/")[-3:]
        moment = calendar.timegm(time.strptime(when, "%Y-%m-%dT%H:%M:%SZ"))
        manifest = {
            "backup-type": kind,
            "backup-id": identity,
            "backup-time": moment,
            "files": files,
            "signature": None,
        }
        manifest["unprotected"] = {"verify_state": {"state": "ok", "upid": "UPID:made:"}}
        if sealed or signed:
            manifest["unprotected"]["key-fingerprint"] = ":".join(f"{byte:02x}" for byte in KEY.fingerprint)
            sign(manifest)
        (folder / "index.json.blob").write_bytes(encoded(manifest))

    def tell(self, name, archive, data):
        (self.truth / name).mkdir(parents=True, exist_ok=True)
        (self.truth / name / f"{archive}.sha256").write_text(hashlib.sha256(data).hexdigest() + "\n")


def sign(manifest):
    manifest["signature"] = hmac.new(KEY.identity, datastore.canonical(manifest), "sha256").hexdigest()


def write_keys(folder):
    def write(name, kdf, data):
        told = {"kdf": kdf, "created": "2026-11-20T22:22:55+00:00", "modified": "2026-11-20T22:22:55+00:00"}
        told["data"] = base64.b64encode(data).decode()
        told["fingerprint"] = ":".join(f"{byte:02x}" for byte in KEY.fingerprint)
        (folder / name).write_text(json.dumps(told, indent=2))

    def shut(outer):
        iv = DICE.randbytes(16)
        sealed = AESGCM(outer).encrypt(iv, KEY.secret, None)
        return iv + sealed[-16:] + sealed[:-16]

    write("key.json", None, KEY.secret)
    salt, passphrase = DICE.randbytes(32), b"correct horse"
    kdf = {"n": 65536, "r": 8, "p": 1, "salt": base64.b64encode(salt).decode()}
    outer = hashlib.scrypt(passphrase, salt=salt, n=65536, r=8, p=1, maxmem=1 << 28, dklen=32)
    write("key-scrypt.json", {"Scrypt": kdf}, shut(outer))
    outer = hashlib.pbkdf2_hmac("sha256", passphrase, salt, 65535, 32)
    write("key-pbkdf2.json", {"PBKDF2": {"iter": 65535, "salt": base64.b64encode(salt).decode()}}, shut(outer))


def tree():
    """What a container has: every kind of entry, one of them in several chunks."""
    attribute = pxar.item(pxar.XATTR, b"user.note\0kept")
    etc = [(b"hosts", "file", text(300)), (b"empty", "file", b""), (b"host.conf", "link", b"hosts")]
    dev = [(b"sda", "block", (8, 0)), (b"null", "character", (1, 3)), (b"log", "socket", None), (b"fifo", "pipe", None)]
    return [
        (b"etc", "folder", etc),
        (b"large.txt", "file", text(300_000), attribute),
        (b"noise", "file", DICE.randbytes(300_000)),
        (b"dev", "folder", dev),
        (b"none", "folder", []),
        (b"same as hosts", "hard", b"etc/hosts"),
        (b"last.txt", "file", text(200_000)),
    ]


def make_store(folder):
    maker, unit = Maker(folder), 65_536
    image = bytearray(text(5 * unit) + bytes(4 * unit) + DICE.randbytes(4 * unit) + text(30_001))
    configuration = ("qemu-server.conf.blob", text(600))
    maker.snapshot(VM, [("drive-scsi0.img.fidx", fixed(bytes(image), unit), unit)], [configuration])
    image[unit + 5 : unit + 21] = b"sixteen bytes!!!"
    maker.snapshot(VM_NEXT, [("drive-scsi0.img.fidx", fixed(bytes(image), unit), unit)], [configuration])
    large = text(100_000) + bytes(12_600_001)
    maker.snapshot(VM_LARGE, [("drive-virtio0.img.fidx", fixed(large, 4 << 20), 4 << 20)])
    inside = tree()
    root = [("root.pxar.didx", dynamic(pxar.archive(inside)), 0)]
    parts = zip(("home.mpxar.didx", "home.ppxar.didx"), pxar.archive(tree(), split=True, prelude=b"exclude: /tmp"))
    home = [(name, dynamic(part), 0) for name, part in parts]
    listed = pcat1.catalogue([(b"root.pxar.didx", inside), (b"home.mpxar.didx", inside)], seconds=-1_750_086_400)
    listed = ("catalog.pcat1.didx", [listed[:200], listed[200:]], 0)
    maker.snapshot(CT, [*root, *home, listed], [("pct.conf.blob", text(300))])
    maker.snapshot(HOST, root, [("note.blob", b"\x01\x02")])
    maker.snapshot(SEALED_CT, [*root, *home], [("pct.conf.blob", text(300))], sealed=True)
    maker.snapshot(SEALED_VM, [("drive-scsi0.img.fidx", fixed(bytes(image[: 4 * unit]), unit), unit)], sealed=True)
    maker.snapshot(SIGNED, [("etc.pxar.didx", dynamic(pxar.archive([(b"x", "file", text(100_000))])), 0)], signed=True)
    write_keys(maker.truth)
    return maker.store


class Cases:
    """The damages: each is made of operations on a copy of the store, and hurts who is named."""

    def __init__(self, store):
        self.store, self.cases = store, []

    def add(self, name, ops, hurts=(), keyed=None):
        """`hurts`: who is hurt for one without the key; `keyed`: for one with it, where that differs."""
        found = faults(self.store, ops, None)
        found_with_key = faults(self.store, ops, KEY)
        for found_here, wanted in ((found, hurts), (found_with_key, hurts if keyed is None else keyed)):
            if set(found_here) != set(wanted):
                sys.exit(f"datastore_made.py: {name}: the reader says {found_here}, not {wanted}")
        self.cases.append({"name": name, "ops": ops, "reference": found, "reference_with_key": found_with_key})

    def raw(self, path):
        return (self.store / path).read_bytes()

    def flip(self, path, *places):
        raw = self.raw(path)
        return [{"op": "patch", "path": path, "bytes": [[place, raw[place] ^ 0x55] for place in places]}]

    def write(self, path, raw):
        return [{"op": "write", "path": path, "base64": base64.b64encode(raw).decode()}]

    def cut(self, path, size):
        return [{"op": "truncate", "path": path, "size": size}]

    def delete(self, path):
        return [{"op": "delete", "path": path}]

    def chunk(self, snapshot, archive, at):
        index = datastore.Index(archive, self.raw(f"{snapshot}/{archive}"))
        name = index.chunks[at][0].hex()
        return f".chunks/{name[:4]}/{name}"

    def right(self, path, data):
        """The blob at `path` with other content, and the checksum made right."""
        raw = self.raw(path)
        return framed(raw[:8], data, raw[12:44] if datastore.is_sealed(raw) else b"")

    def manifest(self, snapshot, change, signed=False):
        manifest = json.loads(datastore.open_blob(self.raw(f"{snapshot}/index.json.blob")))
        change(manifest)
        if signed:
            sign(manifest)
        return self.write(f"{snapshot}/index.json.blob", encoded(manifest))


def perform(store, ops):
    for op in ops:
        path = store / op["path"]
        if op["op"] == "delete":
            path.unlink()
            continue
        raw = bytearray(path.read_bytes() if path.exists() else b"")
        if op["op"] == "patch":
            for at, byte in op["bytes"]:
                raw[at] = byte
        elif op["op"] == "truncate":
            del raw[op["size"] :]
        elif op["op"] == "append":
            raw += base64.b64decode(op["base64"])
        else:
            raw = base64.b64decode(op["base64"])
        path.write_bytes(raw)


def faults(store, ops, key):
    """What the reader finds, by snapshot, in a copy of the store on which `ops` were done."""
    with tempfile.TemporaryDirectory() as scratch:
        copy = pathlib.Path(scratch) / "store"
        shutil.copytree(store, copy, copy_function=shutil.copyfile)
        for folder in [copy, *copy.rglob("*")]:
            if folder.is_dir():
                folder.chmod(0o755)
        perform(copy, ops)
        reader = datastore.Store(copy, key)
        return {snapshot: found for snapshot in reader.snapshots() if (found := reader.check(snapshot))}


def flipped(data, place):
    changed = bytearray(data)
    changed[place] ^= 0x55
    return bytes(changed)


def chunk_cases(cases):
    packed, plain = (cases.chunk(VM, "drive-scsi0.img.fidx", at) for at in (0, 10))
    both, raw = (VM, VM_NEXT), cases.raw(packed)
    assert raw[:8] == ZSTD and cases.raw(plain)[:8] == PLAIN
    cases.add("zstd_chunk_bitflip", cases.flip(packed, 40), both)
    cases.add("plain_chunk_bitflip", cases.flip(plain, 40), both)
    cases.add("zstd_chunk_bitflip_crc_fixed", cases.write(packed, cases.right(packed, flipped(raw[12:], 2000))), both)
    other = flipped(cases.raw(plain)[12:], 40)
    cases.add("plain_chunk_bitflip_crc_fixed", cases.write(plain, cases.right(plain, other)), both)
    cases.add("chunk_valid_blob_of_other_data", cases.write(packed, blob(b"other" * 99)), both)
    cases.add("chunk_missing", cases.delete(packed), both)
    cases.add("chunk_empty", cases.cut(packed, 0), both)
    cases.add("chunk_truncated", cases.cut(packed, len(raw) // 2), both)
    cases.add("chunk_magic_flip", cases.flip(packed, 0), both)
    cases.add("chunk_crc_field_flip", cases.flip(packed, 9), both)
    empty = zstandard.ZstdCompressor().compress(b"")
    cases.add("zstd_chunk_extra_empty_frame_crc_fixed", cases.write(packed, framed(ZSTD, raw[12:] + empty)))
    cases.add("zstd_chunk_trailing_garbage_crc_fixed", cases.write(packed, framed(ZSTD, raw[12:] + b"garbage")), both)
    shared = cases.chunk(CT, "root.pxar.didx", 0)
    cases.add("chunk_of_two_groups_missing", cases.delete(shared), (CT, HOST))
    sealed, second = (cases.chunk(SEALED_VM, "drive-scsi0.img.fidx", at) for at in (0, 2))
    raw = cases.raw(sealed)
    cases.add("enc_chunk_iv_flip", cases.flip(sealed, 12), (), (SEALED_VM,))
    cases.add("enc_chunk_tag_flip", cases.flip(sealed, 28), (), (SEALED_VM,))
    cases.add("enc_chunk_data_flip", cases.flip(sealed, 60), (SEALED_VM,))
    cases.add(
        "enc_chunk_data_flip_crc_fixed",
        cases.write(sealed, cases.right(sealed, flipped(raw[44:], 16))),
        (),
        (SEALED_VM,),
    )
    cases.add("enc_chunk_replaced_by_another_enc_chunk", cases.write(sealed, cases.raw(second)), (), (SEALED_VM,))


def index_cases(cases):
    path = f"{VM}/drive-scsi0.img.fidx"
    raw = cases.raw(path)
    cases.add("fidx_header_csum_flip", cases.flip(path, 32), (VM,))
    cases.add("fidx_header_uuid_flip", cases.flip(path, 8))
    cases.add("fidx_header_ctime_flip", cases.flip(path, 24))
    cases.add("fidx_reserved_flip", cases.flip(path, 200))
    cases.add("fidx_size_field_plus1", cases.flip(path, 64), (VM,))
    cases.add("fidx_chunk_size_3", cases.flip(path, 72), (VM,))
    swapped = raw[:4096] + raw[4128:4160] + raw[4096:4128] + raw[4160:]
    cases.add("fidx_digest_swap", cases.write(path, swapped), (VM,))
    cases.add("fidx_truncated", cases.cut(path, len(raw) - 1), (VM,))
    cases.add("fidx_truncated_one_entry", cases.cut(path, len(raw) - 32), (VM,))
    path = f"{CT}/root.pxar.didx"
    cases.add("didx_end_flip", cases.flip(path, 4096), (CT,))
    cases.add("didx_trailing_byte", [{"op": "append", "path": path, "base64": "AA=="}], (CT,))
    cases.add("didx_missing", cases.delete(path), (CT,))
    for name, places in (
        ("didx_wrong_lengths_consistent_manifest", (0,)),
        ("didx_decreasing_end_consistent_manifest", (0, 1)),
    ):
        index = datastore.Index("root.pxar.didx", cases.raw(f"{HOST}/root.pxar.didx"))
        lengths = [length for _, length in index.chunks]
        ends = [sum(lengths[: at + 1]) for at in range(len(lengths))]
        ends[0] += 10
        if len(places) == 2:
            ends[0], ends[1] = ends[1], ends[0]
        body = b"".join(struct.pack("<Q", end) + digest for end, (digest, _) in zip(ends, index.chunks))
        raw = header(DYNAMIC, hashlib.sha256(body).digest()) + body

        def agree(manifest):
            manifest["files"][0]["csum"] = hashlib.sha256(body).hexdigest()

        ops = cases.manifest(HOST, agree) + cases.write(f"{HOST}/root.pxar.didx", raw)
        cases.add(name, ops, (HOST,))


def file_cases(cases):
    path = f"{VM}/qemu-server.conf.blob"
    cases.add("blob_flip", cases.flip(path, 20), (VM,))
    cases.add("blob_crc_field_flip", cases.flip(path, 9), (VM,))
    cases.add("blob_missing", cases.delete(path), (VM,))
    cases.add("manifest_flip", cases.flip(f"{VM}/index.json.blob", 40), (VM,))
    cases.add("manifest_missing", cases.delete(f"{VM}/index.json.blob"), (VM,))
    cases.add("client_log_flip", cases.flip(f"{VM}/client.log.blob", 20))
    cases.add("manifest_extra_file_on_disk", cases.write(f"{VM}/extra.blob", blob(b"x")))

    def edit(manifest):
        manifest["backup-time"] += 0
        manifest["files"][0]["size"] += 1

    cases.add("signed_manifest_edited_crc_ok", cases.manifest(SEALED_CT, edit), (SEALED_CT,))
    cases.add(
        "signed_manifest_file_dropped",
        cases.manifest(SEALED_CT, lambda manifest: manifest["files"].pop()),
        (),
        (SEALED_CT,),
    )
    other = {"backup-id": "999"}
    cases.add("manifest_id_differs_from_path", cases.manifest(VM, lambda manifest: manifest.update(other)), (VM,))

    def worded(manifest):
        manifest["files"][0]["size"] = str(manifest["files"][0]["size"])

    cases.add("manifest_size_as_string", cases.manifest(VM, worded), (VM,))

    def sealed(manifest):
        manifest["files"][0]["crypt-mode"] = "encrypt"

    cases.add("plain_index_marked_encrypted", cases.manifest(CT, sealed), (CT,))


def compare(folder):
    """Does every case of a store that somebody else made, and sees whether the reader names the same snapshots."""
    key = Key.load(folder / "truth/key-scrypt.json")
    cases = json.loads((folder / "cases.json").read_text())
    for case in cases:
        for reference, told in (("reference", None), ("reference_with_key", key)):
            if (found := set(faults(folder / "store", case["ops"], told))) != set(case[reference]):
                sys.exit(f"{case['name']}: the reader says {sorted(found)}, the {reference} {sorted(case[reference])}")
    print(len(cases), "cases")


def main():
    if sys.argv[1] == "--compare":
        return compare(pathlib.Path(sys.argv[2]))
    folder = pathlib.Path(sys.argv[1])
    cases = Cases(make_store(folder))
    cases.add("clean", [])
    chunk_cases(cases)
    index_cases(cases)
    file_cases(cases)
    (folder / "cases.json").write_text(json.dumps(cases.cases, indent=1))


if __name__ == "__main__":
    main()
