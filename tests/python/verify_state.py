"""What a server makes of the states of verification in a store: `verify_state.py STORE SECONDS`, as JSON, a line a
snapshot.

Written from the grammar of its names of tasks alone; it shares nothing with the product. SECONDS is how old a state may
be (the `outdated-after` of a verify job) before a job that passes over what was verified looks at the snapshot again.
"""

import json
import pathlib
import re
import sys
import time

import datastore

HEX8 = "[0-9A-Fa-f]{8}"
TASK = re.compile(
    rf"UPID:(?P<node>[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?):(?P<pid>{HEX8}):(?P<pstart>[0-9A-Fa-f]{{8,9}})"
    rf":(?P<task>[0-9A-Fa-f]{{8,16}}):(?P<start>{HEX8}):(?P<type>[^:\s]+):(?P<id>[^:\s]*):(?P<user>[^:\s]+):"
)


def manifest(path):
    raw = path.read_bytes()
    text = raw[12:] if raw[:8] == datastore.PLAIN else datastore.inflate(raw[12:])
    return json.loads(text)


def verdict(state, allowed):
    """Its state as it is shown, whether it is a base for the next backup, and whether a job that skips looks at it."""
    task = TASK.fullmatch(state.get("upid", "")) if isinstance(state, dict) else None
    if task is None or state.get("state") not in ("ok", "failed"):
        return {"shown": None, "base": True, "due": True}
    age = time.time() - int(task["start"], 16)
    return {"shown": state["state"], "base": state["state"] != "failed", "due": age > allowed, "user": task["user"]}


def main():
    store, allowed = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    found = {}
    for path in sorted(store.rglob("index.json.blob")):
        state = manifest(path).get("unprotected", {}).get("verify_state")
        found[str(path.parent.relative_to(store))] = verdict(state, allowed)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
