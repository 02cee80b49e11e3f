"""Sound datastores of several shapes, by datastore_made.py and by the binary, and a copy of one that is being
damaged."""

import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import zlib

import zstandard
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import datastore
import datastore_made
import pcat1
import pxar
from datastore import DYNAMIC, FIXED, Fault, PLAIN, SEALED, ZSTD, ZSTD_SEALED
from datastore_made import framed
from differ import Made, NotHere

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
    images = [
        dice.randbytes(3 * 4096) + datastore_made.text(2 * 4096) + bytes(4096) + dice.randbytes(100) for _ in range(2)
    ]
    images.append(images[0][:4096] + images[1][4096:])
    pieces = [[dice.randbytes(dice.randint(1, 900)) for _ in range(4)] for _ in range(2)]
    for number, image in enumerate(images):
        time, disk = f"2026-02-0{number + 1}T03:04:05Z", [("disk.img.fidx", datastore_made.fixed(image, 4096), 4096)]
        blobs = [("qemu-server.conf.blob", datastore_made.text(200)), ("fw.conf.blob", b"")]
        maker.snapshot(f"vm/7/{time}", disk + [("efi.img.fidx", [b"efi" * 5], 64)], blobs)
        maker.snapshot(f"ns/a/ns/b/vm/7/{time}", disk, blobs[:number], sealed=True)
    for number, some in enumerate(pieces):
        # A file lies in chunks of its own, of which some come twice.
        content = some + pieces[0][:2]
        listed = [(b"file", "file", b"".join(content))]
        tree = pxar.archive(listed)
        at = tree.index(content[0])
        cut = [tree[:at], *content, tree[at + sum(map(len, content)) :]]
        listed = pcat1.catalogue([(b"root.pxar.didx", listed)])
        tree = [("root.pxar.didx", cut, 0), ("catalog.pcat1.didx", [listed], 0)]
        maker.snapshot(
            f"host/h/2026-03-0{number + 1}T03:04:05Z", tree, [("note.blob", dice.randbytes(9))], signed=number == 1
        )
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
            file.write_bytes(
                dice.randbytes(3000) + datastore_made.text(90_000) if "img" in name else datastore_made.text(300)
            )
        back_up(
            binary,
            files,
            ours,
            "vm/100/one.img",
            number,
            "--also",
            f"two.img={files['two.img']}",
            "--also",
            f"some.conf={files['some.conf']}",
        )
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
        return self.pick(
            chunk for chunk in named or chunks if sealed is None or datastore.is_sealed(self.read(chunk)) == sealed
        )

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
        return self.pick(
            path for path in self.files(r"[^.].*\.blob") if not path.endswith(("index.json.blob", "client.log.blob"))
        )

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
