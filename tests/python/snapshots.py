"""An independent judge of datastores, archive by archive: `snapshots.py STORE [KEYFILE]` prints JSON.

It builds on the reader in datastore.py. A snapshot is `sound`, `damaged`, `open` (nobody can tell without the right
key), or `doubtful`: what it says of its signature or its key does not fit, so that it must not be called sound. A file
of it is `whole`, `damaged` or `open`. `refused` says that no file of it may be restored, `trusted` that every whole one
must be.
"""

import calendar
import hashlib
import hmac
import json
import re
import sys
import time

import datastore
import pieces
from datastore import Fault, Index, Key, Store

IDENTITY = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
SNAPSHOT = re.compile(rf"(?:ns/{IDENTITY}/){{0,7}}(vm|ct|host)/({IDENTITY})/(\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ)")
NAME = re.compile(r"[^/]+\.(fidx|didx|blob)", re.DOTALL)
FINGERPRINT = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){31}")
MODES = ("none", "sign-only", "encrypt")
LONGEST = 16 << 20


def moment(text):
    try:
        return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))
    except ValueError:
        return None


class Known(Fault):
    """What is damaged is nothing but chunks whose digests are those of zeros: they need not be read to be restored."""

    def __init__(self, why, data):
        super().__init__(why)
        self.sum = hashlib.sha256(data).hexdigest()


class Judge:
    """A store under one key, or none."""

    def __init__(self, root, key=None):
        self.store = Store(root, key)
        self.root, self.key = self.store.root, key
        # Damage that hurts no snapshot; something that nobody can judge; something that must not be passed over,
        # whatever it is called.
        self.damage = self.unjudged = self.strange = False
        self.snapshots, self.chunks = {}, {}
        for folder in sorted(path for path in self.root.rglob("*") if path.is_dir()):
            self.folder(folder)

    def folder(self, folder):
        path = str(folder.relative_to(self.root))
        if re.search(r"(^|/)\.", path):
            # What is hidden is nobody's, to a server too.
            return
        names = {file.name for file in folder.iterdir() if not file.is_dir()}
        found = SNAPSHOT.fullmatch(path)
        if not found or moment(found[3]) is None:
            self.strange |= any(name == "index.json.blob" or name.endswith((".fidx", ".didx")) for name in names)
        elif "index.json.blob" not in names:
            self.unjudged = True
        else:
            self.snapshots[path] = self.snapshot(path, found, names)

    def snapshot(self, path, found, names):
        """Its verdict, and of each file the name, whether it is whole, and the SHA-256 of what it restores to."""
        try:
            manifest = self.manifest(path, found)
        except Fault as fault:
            return {"verdict": "damaged", "why": str(fault), "refused": True, "trusted": False, "files": []}
        signature = self.signature(manifest)
        files = [self.file(path, told) for told in manifest["files"]]
        states = {file["state"] for file in files}
        if "client.log.blob" in names:
            self.log(path)
        if "damaged" in states:
            verdict = "damaged"
        else:
            verdict = signature or ("open" if "open" in states else "sound")
        return {"verdict": verdict, "refused": signature == "damaged", "trusted": not signature, "files": files}

    def manifest(self, path, found):
        """The manifest of a snapshot, if it has the form of one and is of this snapshot."""
        try:
            raw = (self.root / path / "index.json.blob").read_bytes()
            if datastore.is_sealed(raw):
                raise Fault("mode of the manifest")
            manifest = json.loads(datastore.open_blob(raw), object_pairs_hook=once)
            whose = (manifest["backup-type"], manifest["backup-id"], manifest["backup-time"])
            signature, unsigned = manifest.get("signature"), manifest.get("unprotected", {})
            print_ = unsigned.get("key-fingerprint")
            if type(manifest["files"]) is not list:
                raise Fault("form of the manifest")
            names = [told["filename"] for told in manifest["files"]]
            texts = [*names, *(told["csum"] for told in manifest["files"]), signature or "", print_ or ""]
            numbers = [told["size"] for told in manifest["files"]]
            modes = [told.get("crypt-mode", "none") for told in manifest["files"]]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Fault("form of the manifest") from error
        if whose != (found[1], found[2], moment(found[3])):
            raise Fault("another snapshot's manifest")
        if not all(type(text) is str for text in texts) or not all(
            type(size) is int and 0 <= size < 1 << 64 for size in numbers
        ):
            raise Fault("types in the manifest")
        if not all(mode in MODES for mode in modes) or len(set(names)) < len(names):
            raise Fault("modes or names in the manifest")
        if not all(NAME.fullmatch(name) for name in names) or not all(
            re.fullmatch("[0-9a-fA-F]{64}", told["csum"]) for told in manifest["files"]
        ):
            raise Fault("names or sums in the manifest")
        return manifest

    def signature(self, manifest):
        """What is wrong with the signature or the key that the manifest names; nothing if they are right or absent."""
        signature, print_ = manifest.get("signature"), manifest.get("unprotected", {}).get("key-fingerprint")
        strongest = max((MODES.index(told.get("crypt-mode", "none")) for told in manifest["files"]), default=0)
        if print_ is not None and not FINGERPRINT.fullmatch(print_):
            return "doubtful"
        if signature is None:
            return "doubtful" if print_ is not None or strongest == 1 or strongest == 2 and self.key else None
        if not re.fullmatch("[0-9a-f]{64}", signature):
            return "doubtful"
        if self.key is None:
            return None
        holds = hmac.new(self.key.identity, datastore.canonical(manifest), "sha256").hexdigest() == signature
        ours = print_ == ":".join(f"{byte:02x}" for byte in self.key.fingerprint)
        if holds and (ours or print_ is None):
            return None
        return "damaged" if ours else "doubtful"

    def file(self, path, told):
        name, file = told["filename"], self.root / path / told["filename"]
        try:
            if not file.is_file():
                raise Fault("missing file")
            raw, sealed = file.read_bytes(), told.get("crypt-mode") == "encrypt"
            data = self.blob(raw, told, sealed) if name.endswith(".blob") else self.archive(name, raw, told, sealed)
        except Known as fault:
            return {"name": name, "state": "damaged", "why": str(fault), "known": fault.sum}
        except Fault as fault:
            return {"name": name, "state": "damaged", "why": str(fault)}
        if data is None:
            return {"name": name, "state": "open"}
        return {"name": name, "state": "whole", "sum": hashlib.sha256(data).hexdigest()}

    def blob(self, raw, told, sealed):
        if len(raw) != told["size"] or hashlib.sha256(raw).hexdigest() != told["csum"].lower():
            raise Fault("checksum of a blob")
        if datastore.is_sealed(raw) != sealed:
            raise Fault("mode of a blob")
        return datastore.open_blob(raw, self.key)

    def archive(self, name, raw, told, sealed):
        index = Index(name, raw)
        if not index.chunks or any(length > LONGEST for _, length in index.chunks):
            raise Fault("chunks of an index")
        if name.endswith(".fidx") and int.from_bytes(raw[72:80], "little") > LONGEST:
            raise Fault("length of the chunks of an index")
        if (
            index.claimed != index.checksum
            or index.checksum.hex() != told["csum"].lower()
            or index.size != told["size"]
        ):
            raise Fault("checksum or size of an index")
        pieces, known = [], None
        salt = self.key.identity if sealed and self.key else b""
        for digest, length in index.chunks:
            try:
                pieces.append(self.chunk(digest, sealed))
            except Fault as fault:
                if hashlib.sha256(bytes(length) + salt).digest() != digest:
                    raise
                pieces.append(bytes(length))
                known = str(fault)
            if pieces[-1] is not None and len(pieces[-1]) != length:
                raise Fault("length of a chunk")
        if None in pieces:
            return None
        data = b"".join(pieces)
        if known:
            raise Known(known, data)
        return data

    def chunk(self, digest, sealed):
        """The data of a chunk, read once for all indices that name it."""
        return pieces.once(self.chunks, (digest, sealed), lambda: self.store.chunk(digest, sealed), Fault)

    def log(self, path):
        try:
            datastore.open_blob((self.root / path / "client.log.blob").read_bytes(), self.key)
        except Fault:
            self.damage = True

    def judged(self):
        """The snapshots by their paths, and the exit codes with which a verification may end."""
        verdicts = {snapshot["verdict"] for snapshot in self.snapshots.values()}
        if self.damage or "damaged" in verdicts:
            codes = [1]
        elif self.strange or "doubtful" in verdicts:
            codes = [1, 3]
        else:
            codes = [3 if self.unjudged or "open" in verdicts or not verdicts else 0]
        return {"snapshots": self.snapshots, "codes": codes}


def once(pairs):
    """An object none of whose keys comes twice."""
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a key comes twice")
    return made


def main():
    root, *keyfile = sys.argv[1:]
    print(json.dumps(Judge(root, Key.load(keyfile[0]) if keyfile else None).judged(), indent=1))


if __name__ == "__main__":
    main()
