"""Damaged repozo repositories and what an independent reader says of each.

`differ_repositories.py shapes FOLDER BINARY` makes the sound ones, by the binary and by Python's own repozo.
`differ_repositories.py sets SHAPES FOLDER FIRST COUNT` makes one set a seed in FOLDER/SEED, does zero to five damages
to it, and prints a line of JSON.
"""

import contextlib
import hashlib
import io
import pathlib
import sys

import repository
from differ import damaged, tell
from repositories_damaged import DAMAGES
from repositories_made import NAME, Repository, make_shapes


def original(*arguments):
    """What Python's own repozo says of a command that fails."""
    from ZODB.scripts import repozo

    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        try:
            repozo.main([str(argument) for argument in arguments])
        except SystemExit as exit:
            if exit.code:
                return f"{arguments}: exit {exit.code}, {said.getvalue()}"
    return ""


def original_agrees(made, points):
    """Whether Python's own repozo restores every point of a sound repository and verifies it; a word if not."""
    if any(NAME.fullmatch(path.name) for path in made.root.iterdir() if path.is_dir()):
        # It takes such a folder for a file.
        return ""
    out, index = made.root.parent / "original", made.root.parent / "original.index"
    for stem, point in points.items():
        if refused := original("-R", "-r", made.root, "-o", out, "-D", stem):
            return refused
        if hashlib.sha256(out.read_bytes()).hexdigest() != point["sum"]:
            return f"{stem}: other bytes"
        out.unlink()
        index.unlink(missing_ok=True)
    # It cannot read a path with a space, a blank line, or what is no text.
    dats = [made.read(dat) for dat in made.dats()]
    plain = all(text.isascii() and text.lower() == text for text in dats)
    plain = plain and all(len(line.split()) == 4 for text in dats for line in text.splitlines())
    return original("-V", "-r", made.root) if plain else ""


def make_sets(shapes, folder, first, count):
    for seed in range(first, first + count):
        made, shape, told = damaged(shapes, folder / str(seed), seed, Repository, DAMAGES)
        read = repository.Repository(made.root)
        judged = read.judged()
        doubt = original_agrees(made, judged["points"]) if judged["digest"] == 0 else ""
        tell(seed=seed, shape=shape, damages=told, original=doubt, **judged)


def main():
    word, *rest = sys.argv[1:]
    if word == "shapes":
        make_shapes(pathlib.Path(rest[0]), rest[1])
    else:
        make_sets(pathlib.Path(rest[0]), pathlib.Path(rest[1]), int(rest[2]), int(rest[3]))


main()
