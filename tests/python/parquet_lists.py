"""Writes lists of an inventory in Parquet, as S3 does: with its names and types of columns, compressed with Snappy.

    parquet_lists.py FOLDER

On standard input, as JSON: the names of the "columns" as a configuration has them; "lists", each a text of a JSON array
a row, of texts, truths, numbers or nulls; and "how" they are written, words for pyarrow. List number N becomes
FOLDER/N.
"""

import datetime
import json
import pathlib
import re
import sys

import pyarrow
import pyarrow.parquet

TRUTHS = ("IsLatest", "IsDeleteMarker", "IsMultipartUploaded")


def field(name, unit):
    """The column as S3 declares it."""
    kind = pyarrow.string()
    if name in TRUTHS:
        kind = pyarrow.bool_()
    elif name == "Size":
        kind = pyarrow.int64()
    elif name == "LastModifiedDate":
        kind = pyarrow.timestamp(unit, tz="UTC")
    snake = re.sub("(?<!^)(?=[A-Z])", "_", name).lower()
    return pyarrow.field(snake, kind, nullable=name not in ("Bucket", "Key"))


def main():
    given = json.load(sys.stdin)
    how = {"compression": "snappy", **given["how"]}
    unit = how.pop("unit", "ms")
    schema = pyarrow.schema([field(name, unit) for name in given["columns"]])
    dates = [number for number, name in enumerate(given["columns"]) if name == "LastModifiedDate"]
    for number, text in enumerate(given["lists"]):
        rows = [json.loads(line) for line in text.split("\n") if line]
        for row in rows:
            for date in dates:
                row[date] = datetime.datetime.fromisoformat(row[date].replace("Z", "+00:00"))
        values = [pyarrow.array([row[at] for row in rows], one.type) for at, one in enumerate(schema)]
        table = pyarrow.Table.from_arrays(values, schema=schema)
        pyarrow.parquet.write_table(table, pathlib.Path(sys.argv[1]) / str(number), **how)


if __name__ == "__main__":
    main()
