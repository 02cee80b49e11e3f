"""An independent reader of Proxmox-style datastores: `datastore.py check STORE [KEYFILE]`, or `sums` in place of
`check`.

Written from the format alone, on the standard library, `zstandard` and `cryptography`; it shares nothing with the
product. `check` prints what hurts each snapshot as JSON, `sums` the SHA-256 of every archive that can be read.
"""

import base64
import calendar
import hashlib
import hmac
import json
import pathlib
import struct
import sys
import time
import zlib

import pieces
import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def magic(text):
    return hashlib.sha256(text.encode()).digest()[:8]


PLAIN = magic("Proxmox Backup uncompressed blob v1.0")
ZSTD = magic("Proxmox Backup zstd compressed blob v1.0")
SEALED = magic("Proxmox Backup encrypted blob v1.0")
ZSTD_SEALED = magic("Proxmox Backup zstd compressed encrypted blob v1.0")
FIXED = magic("Proxmox Backup fixed sized chunk index v1.0")
DYNAMIC = magic("Proxmox Backup dynamic sized chunk index v1.0")
FINGERPRINT = hashlib.sha256(b"Proxmox Backup Encryption Key Fingerprint").digest()


class Fault(Exception):
    """What is wrong, in a word or two."""


class Key:
    """An encryption key of 32 bytes, with what is derived from it."""

    def __init__(self, secret):
        self.secret = secret
        self.identity = hashlib.pbkdf2_hmac("sha256", secret, b"_id_key", 10, 32)
        self.fingerprint = hashlib.sha256(FINGERPRINT + self.identity).digest()

    @classmethod
    def load(cls, path, passphrase=b"correct horse"):
        told = json.loads(pathlib.Path(path).read_text())
        data, kdf = base64.b64decode(told["data"]), told["kdf"]
        if kdf is None:
            return cls(data)
        if "Scrypt" in kdf:
            kdf = kdf["Scrypt"]
            options = {"n": kdf["n"], "r": kdf["r"], "p": kdf["p"], "maxmem": 1 << 28, "dklen": 32}
            outer = hashlib.scrypt(passphrase, salt=base64.b64decode(kdf["salt"]), **options)
        else:
            kdf = kdf["PBKDF2"]
            outer = hashlib.pbkdf2_hmac("sha256", passphrase, base64.b64decode(kdf["salt"]), kdf["iter"], 32)
        return cls(AESGCM(outer).decrypt(data[:16], data[32:] + data[16:32], None))


def inflate(packed):
    """All frames of a zstd stream; anything behind them is a fault."""
    return pieces.joined(
        packed, lambda: zstandard.ZstdDecompressor().decompressobj(), zstandard.ZstdError, "zstd", Fault
    )


def is_sealed(raw):
    return raw[:8] in (SEALED, ZSTD_SEALED)


def open_blob(raw, key=None):
    """The data of a blob; None for an encrypted one without a key."""
    head = 44 if is_sealed(raw) else 12
    if len(raw) < head:
        raise Fault("short blob")
    if raw[:8] not in (PLAIN, ZSTD, SEALED, ZSTD_SEALED):
        raise Fault("magic")
    if zlib.crc32(raw[head:]) != struct.unpack("<I", raw[8:12])[0]:
        raise Fault("crc")
    data = raw[head:]
    if is_sealed(raw):
        if key is None:
            return None
        try:
            data = AESGCM(key.secret).decrypt(raw[12:28], data + raw[28:44], None)
        except InvalidTag as error:
            raise Fault("seal") from error
    return inflate(data) if raw[:8] in (ZSTD, ZSTD_SEALED) else data


class Index:
    """A fixed or dynamic index: (digest, length) of each chunk, the archive's size, and both checksums: the recomputed one
    and that in the header."""

    def __init__(self, name, raw):
        fixed = name.endswith(".fidx")
        if len(raw) < 4096 or raw[:8] != (FIXED if fixed else DYNAMIC):
            raise Fault("index header")
        self.claimed, body = raw[32:64], raw[4096:]
        self.checksum = hashlib.sha256(body).digest()
        self.chunks = []
        if fixed:
            self.size, unit = struct.unpack("<QQ", raw[64:80])
            if unit == 0 or unit & (unit - 1) or len(body) != 32 * -(-self.size // unit):
                raise Fault("index length")
            for at in range(0, len(body), 32):
                start = at // 32 * unit
                self.chunks.append((body[at : at + 32], min(unit, self.size - start)))
            return
        if len(body) % 40:
            raise Fault("index length")
        start = 0
        for at in range(0, len(body), 40):
            end = struct.unpack("<Q", body[at : at + 8])[0]
            if end <= start:
                raise Fault("decreasing end")
            self.chunks.append((body[at + 8 : at + 40], end - start))
            start = end
        self.size = start


def canonical(manifest):
    signed = {key: value for key, value in manifest.items() if key not in ("signature", "unprotected")}
    return json.dumps(signed, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


class Store:
    """A store that is read, never written."""

    def __init__(self, root, key=None):
        self.root, self.key, self.seen = pathlib.Path(root), key, {}

    def snapshots(self):
        """The folders that hold a manifest, or an index, below a type and an identity."""
        found = {path.parent for kind in ("vm", "ct", "host") for path in self.root.glob(f"**/{kind}/*/*Z/*")}
        return sorted(str(path.relative_to(self.root)) for path in found)

    def chunk(self, digest, sealed):
        """The data of a chunk, checked as far as the key allows; the length is compared by who asks."""
        name = digest.hex()
        path = self.root / ".chunks" / name[:4] / name
        if not path.exists():
            raise Fault("missing chunk")
        raw = path.read_bytes()
        data = open_blob(raw, self.key)
        if is_sealed(raw) != sealed:
            raise Fault("mode of a chunk")
        if data is not None:
            salt = self.key.identity if sealed else b""
            if hashlib.sha256(data + salt).digest() != digest:
                raise Fault("digest of a chunk")
        return data

    def length(self, digest, sealed):
        def look():
            data = self.chunk(digest, sealed)
            return data if data is None else len(data)

        return pieces.once(self.seen, (digest, sealed), look, Fault)

    def check_file(self, folder, told):
        path, size = folder / told["filename"], told["size"]
        if type(size) is not int:
            raise Fault("size in the manifest")
        if not path.exists():
            raise Fault("missing file")
        raw = path.read_bytes()
        if path.suffix == ".blob":
            if len(raw) != size or hashlib.sha256(raw).hexdigest() != told["csum"]:
                raise Fault("checksum of a blob")
            if is_sealed(raw) != (told.get("crypt-mode") == "encrypt"):
                raise Fault("mode of a blob")
            open_blob(raw, self.key)
            return
        index = Index(path.name, raw)
        if index.claimed != index.checksum or index.checksum.hex() != told["csum"]:
            raise Fault("checksum of an index")
        if index.size != size:
            raise Fault("size of an archive")
        for digest, length in index.chunks:
            if self.length(digest, told.get("crypt-mode") == "encrypt") not in (None, length):
                raise Fault("length of a chunk")

    def manifest(self, snapshot):
        path = self.root / snapshot / "index.json.blob"
        if not path.exists():
            raise Fault("no manifest")
        try:
            return json.loads(open_blob(path.read_bytes()))
        except ValueError as error:
            raise Fault("JSON of the manifest") from error

    def check(self, snapshot):
        """What hurts a snapshot: a sorted list of words."""
        faults = set()
        try:
            manifest = self.manifest(snapshot)
        except Fault as fault:
            return [str(fault)]
        kind, identity, when = snapshot.split("/")[-3:]
        moment = calendar.timegm(time.strptime(when, "%Y-%m-%dT%H:%M:%SZ"))
        if (manifest["backup-type"], manifest["backup-id"], manifest["backup-time"]) != (kind, identity, moment):
            faults.add("another snapshot's manifest")
        if self.key and manifest.get("signature"):
            signed = hmac.new(self.key.identity, canonical(manifest), "sha256").hexdigest()
            if signed != manifest["signature"]:
                faults.add("signature")
        for told in manifest["files"]:
            try:
                self.check_file(self.root / snapshot, told)
            except Fault as fault:
                faults.add(str(fault))
        return sorted(faults)

    def archives(self, snapshot):
        """The name and data of each archive and blob that can be read."""
        for told in self.manifest(snapshot)["files"]:
            path, sealed = self.root / snapshot / told["filename"], told.get("crypt-mode") == "encrypt"
            if path.suffix == ".blob":
                yield path.name, open_blob(path.read_bytes(), self.key)
            elif not sealed or self.key:
                index = Index(path.name, path.read_bytes())
                yield path.name, b"".join(self.chunk(digest, sealed) for digest, _ in index.chunks)


def main():
    word, root, *keyfile = sys.argv[1:]
    store = Store(root, Key.load(keyfile[0]) if keyfile else None)
    if word == "check":
        found = {name: store.check(name) for name in store.snapshots()}
    else:
        found = {}
        for snapshot in store.snapshots():
            for name, data in store.archives(snapshot):
                if data is not None:
                    found[f"{snapshot}/{name}"] = hashlib.sha256(data).hexdigest()
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
