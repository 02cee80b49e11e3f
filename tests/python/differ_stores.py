"""Damaged datastores and what an independent reader says of each.

`differ_stores.py shapes FOLDER BINARY MADE` makes the sound ones: by datastore_made.py, whose store lies in MADE, and
by the binary. `differ_stores.py sets SHAPES FOLDER FIRST COUNT` makes one store a seed in FOLDER/SEED, does zero to
five damages to it, and prints a line of JSON. SHAPES/key.json is the key of all that is encrypted or signed.
"""

import pathlib
import sys

import snapshots
from differ import damaged, tell
from stores_damaged import DAMAGES
from stores_made import Datastore, KEY, make_shapes


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
