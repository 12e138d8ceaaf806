"""Asks what the tests of Node asked, and compares the tables byte for byte.

usage: python.py FOLDER

FOLDER/asked.json lists the questions: the input and the answer of Node as Arrow IPC, and the notes.
"""

import json
import sys
from pathlib import Path

import pyarrow as pa

import aura


def table(path):
    return pa.ipc.open_stream(path.read_bytes()).read_all()


def written(table):
    """The table as bytes, in one batch; what lies under a null is no value, and is left out."""
    columns = [pa.array(column.to_pylist(), column.type) for column in table.columns]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(pa.Table.from_arrays(columns, schema=table.schema))
    return sink.getvalue().to_pybytes()


folder = Path(sys.argv[1])
asked = json.loads((folder / "asked.json").read_text())
same = 0
for question in asked:
    events = aura.events(table(folder / question["input"]))
    if "registry" in question:
        own = events.ask(question["query"], aura.Registry.parse(question["registry"]))
    else:
        own = events.run(question["spec"])
    theirs = table(folder / question["answer"])
    assert theirs.schema.equals(own.to_arrow().schema, check_metadata=True), question["name"]
    assert written(theirs) == written(own.to_arrow()), question["name"]
    assert question["notes"] == own.notes, question["name"]
    same += 1
print(same)
