"""What the makers of damaged sets share: copies that cost nothing, and zero to five damages that dice pick.

A copy has hard links to the files of its shape, so a damage writes a new file in place of the old one and never into
it.
"""

import json
import os
import pathlib
import random
import shutil


class Made:
    """A copy of a shape that is being damaged."""

    def __init__(self, shape, folder, dice):
        self.root, self.dice = pathlib.Path(folder), dice
        shutil.copytree(shape, self.root, copy_function=os.link, symlinks=True)

    def read(self, name):
        return (self.root / name).read_bytes()

    def write(self, name, data):
        path = self.root / name
        path.unlink(missing_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def remove(self, name):
        (self.root / name).unlink()
        return name

    def flip(self, name):
        """Changes one byte of a file."""
        self.write(name, self.some_byte(self.read(name)))
        return name

    def shorten(self, name):
        self.write(name, self.cut(self.read(name)))
        return name

    def extend(self, name, ends):
        """Puts one of some ends behind a file."""
        self.write(name, self.read(name) + self.dice.choice(ends))
        return name

    def swap(self, one, other):
        first, second = self.read(one), self.read(other)
        self.write(one, second)
        self.write(other, first)

    def pick(self, among):
        """One of some things; a damage that finds none is not done."""
        among = list(among)
        if not among:
            raise NotHere
        return self.dice.choice(among)

    def some_byte(self, data):
        """The data with one byte changed."""
        if not data:
            raise NotHere
        at = self.dice.randrange(len(data))
        return data[:at] + bytes([data[at] ^ self.dice.randint(1, 255)]) + data[at + 1 :]

    def cut(self, data):
        if not data:
            raise NotHere
        return data[: self.dice.choice([0, len(data) - 1, self.dice.randrange(len(data))])]


class NotHere(Exception):
    """There is nothing in this set that the damage could be done to."""


def damaged(shapes, folder, seed, make, damages):
    """Makes the set of a seed in `folder`. Gives the set, its shape's name and what was done to it."""
    dice = random.Random(seed)
    shape = dice.choice(sorted(path.name for path in pathlib.Path(shapes).iterdir() if path.is_dir()))
    made, told = make(pathlib.Path(shapes) / shape, folder, dice), []
    for _ in range(seed % 6):
        for _ in range(20):
            damage = dice.choice(damages)
            try:
                what = damage(made)
            except NotHere:
                continue
            told.append(f"{damage.__name__}: {what}" if what else damage.__name__)
            break
    return made, shape, told


def tell(**what):
    print(json.dumps(what), flush=True)
