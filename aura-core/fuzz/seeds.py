"""Writes the seeds of the fuzz targets: small inputs of each format, sound and broken.

usage: aura-core/fuzz/seeds.py   (needs pyarrow, see aura-core/tests/requirements.txt; the same bytes every time)
"""

import gzip
import io
import json
import pathlib

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

SEEDS = pathlib.Path(__file__).parent / "seeds"

EVENTS = [
    {"event_id": "e1", "event": "page_view", "user_id": "u1", "time": "2026-01-01T00:00:00Z", "plan": "pro", "amount": None},
    {"event_id": "e2", "event": "purchase", "user_id": "u2", "time": "2026-01-01T00:00:01.5+03:00", "plan": "free", "amount": 12.5},
    {"event_id": "e3", "event": "покупка 🛒", "user_id": "u\"3\"", "time": 1767225602000, "plan": "a,b\nc", "amount": -1e300},
]

CSV_ROWS = '''event_id,event,user_id,time,plan,amount
e1,page_view,u1,2026-01-01T00:00:00Z,pro,
e2,purchase,u2,2026-01-01T00:00:01.5+03:00,free,12.5
e3,"purchase, twice","u""3""",1767225602000,"a
b",-1e300
'''


def ndjson() -> bytes:
    return "".join(json.dumps(event, ensure_ascii=False) + "\n" for event in EVENTS).encode()


def zipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def csv() -> dict[str, bytes]:
    text = CSV_ROWS.encode()
    return {
        "plain.csv": text,
        "plain.csv.gz": zipped(text),
        "windows.csv": b"\xef\xbb\xbf" + CSV_ROWS.replace("\n", "\r\n").replace(",", ";").encode(),
        "tabs.tsv": CSV_ROWS.replace(",", "\t").encode(),
        "header_only.csv": b"event,user_id,time\n",
        "ragged.csv": b"event,user_id,time\na,b\na,b,c,d\n\n,,\n",
        "open_quote.csv": b'event,user_id,time\n"a,b,2026-01-01\nc,d,2026-01-02\n',
        "quote_in_field.csv": b'event,user_id,time\na"b"c,u,2026-01-01\n"x"y,u,2026-01-01\n',
        "bytes.csv": b"event,user_id,time\na\x00b,\xff\xfe,2026-13-45\n",
        "utf16.csv": "event,user_id,time\na,b,2026-01-01\n".encode("utf-16"),
        "same_names.csv": b"event,event,user_id,time,time\na,b,c,2026-01-01,0\n",
        "no_last_newline.csv": b"event,user_id,time\na,b,99999999999999999999",
    }


def json_lines() -> dict[str, bytes]:
    text = ndjson()
    return {
        "plain.ndjson": text,
        "plain.ndjson.gz": zipped(text),
        "truncated.ndjson": text[:-20],
        "mixed.ndjson": b'{"event":"a","user_id":1,"time":0}\n\n[1]\nnull\n{"event":\n"x"\n   {"event":"b"}  \r\n',
        "nested.ndjson": b'{"event":"a","user_id":"u","time":0,"p":{"q":{"r":[1,[2,{"s":null}]]}}}\n',
        "deep.ndjson": b'{"event":"a","p":' + b"[" * 300 + b"]" * 300 + b"}\n",
        "same_keys.ndjson": b'{"event":"a","event":"b","user_id":"u","time":1,"time":2}\n',
        "numbers.ndjson": b'{"event":"a","user_id":18446744073709551616,"time":-1,"n":1e999,"m":-0.0,"k":0.1e-400}\n',
        "escapes.ndjson": b'{"event":"\\ud800","user_id":"\\u0000\\ud83d\\ude00","time":"2026-01-01"}\n',
        "bytes.ndjson": b'{"event":"\xff","user_id":"a\x00b","time":0}\n',
        "dates.ndjson": b'{"event":"a","user_id":"u","time":"2026-02-30T25:61:61Z"}\n{"event":"a","user_id":"u","time":"-262144-01-01"}\n',
    }


def json_array() -> dict[str, bytes]:
    text = json.dumps(EVENTS, ensure_ascii=False, indent=1).encode()
    return {
        "plain.json": text,
        "plain.json.gz": zipped(text),
        "truncated.json": text[:-20],
        "empty.json": b" [ ] ",
        "object.json": b'{"event":"a"}',
        "two.json": b'[{"event":"a"}][{"event":"b"}]',
        "commas.json": b'[,{"event":"a"},,{"event":"b"},]',
        "mixed.json": b'[1,"a",null,[{}],{"event":"a","user_id":"u","time":0}]',
        "deep.json": b"[" * 300 + b"]" * 300,
    }


def table() -> pa.Table:
    return pa.table(
        {
            "event": pa.array(["page_view", "purchase", None]).dictionary_encode(),
            "user_id": pa.array([1, 2, None], pa.uint32()),
            "time": pa.array([0, 1, None], pa.timestamp("us", "UTC")),
            "amount": pa.array([None, 12.5, -1e300]),
            "tags": pa.array([["a"], [], None], pa.list_(pa.string())),
            "place": pa.array([{"city": "x"}, None, {"city": None}]),
        }
    )


def parquet() -> dict[str, bytes]:
    def written(**options) -> bytes:
        sink = io.BytesIO()
        pq.write_table(table(), sink, **options)
        return sink.getvalue()

    plain = written(compression="none")
    return {
        "plain.parquet": plain,
        "zstd_v2.parquet": written(compression="zstd", data_page_version="2.0"),
        "snappy.parquet": written(compression="snappy", use_dictionary=False),
        "truncated.parquet": plain[:-9],
        "long_footer.parquet": plain[:-8] + b"\xff\xff\xff\x7fPAR1",
        "no_footer.parquet": b"PAR1\x00\x00\x00\x00PAR1",
    }


def ipc() -> dict[str, bytes]:
    def written(make, **options) -> bytes:
        sink = io.BytesIO()
        with make(sink, table().schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
            writer.write_table(table())
        return sink.getvalue()

    file = written(pa.ipc.new_file)
    return {
        "file.arrow": file,
        "file_zstd.arrow": written(pa.ipc.new_file, compression="zstd"),
        "stream.arrows": written(pa.ipc.new_stream),
        "stream_lz4.arrows": written(pa.ipc.new_stream, compression="lz4"),
        "truncated.arrow": file[:-11],
        "cut_after_schema.arrows": written(pa.ipc.new_stream)[:900],
    }


def contract() -> dict[str, bytes]:
    purchase = """name: shop
version: 2
on_violation: quarantine
undeclared_events: accept
properties:
  plan: {type: string, enum: [free, pro], max_length: 16}
events:
  purchase:
    description: Money arrived
    owner: payments
    properties:
      amount: {type: number, required: true, min: 0, max: 1e6, unit: USD, on_violation: drop}
      email: {type: string, pii: email, pattern: '^[^@]+@[^@]+$'}
      at: {type: timestamp, min: 2026-01-01T00:00:00Z}
"""
    return {
        "plain.yaml": purchase.encode(),
        "plain.json": b'{"name":"shop","version":1,"events":{"purchase":{"properties":{"amount":{"type":"number"}}}}}',
        "anchors.yaml": b"name: &n shop\nversion: 1\nproperties: &p {a: {type: string}}\nevents: {x: {properties: *p}}\n",
        "aliases.yaml": b"a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nname: *c\nversion: 1\n",
        "same_keys.yaml": b"name: a\nname: b\nversion: 1\n",
        "deep.yaml": b"name: " + b"[" * 100 + b"]" * 100,
        "documents.yaml": b"---\nname: a\nversion: 1\n---\nname: b\n",
        "pattern.yaml": b"name: a\nversion: 1\nproperties: {p: {type: string, pattern: '(a{1000}){1000}'}}\n",
    }


def metric() -> dict[str, bytes]:
    registry = """version: 1
parameters:
  active: {type: condition, default: event <> 'mail'}
dimensions: [{name: team}]
metrics:
  - name: buyers
    title: {en: Buyers, ru: Покупатели}
    kind: simple
    expr: count(distinct actor) filter (where event = 'buy')
    filter: "{active}"
    dimensions: [team]
  - {name: rate, kind: ratio, numerator: "{buyers}", denominator: {expr: count(*), filter: "amount > 0"}}
  - name: growth
    kind: derived
    expr: "{buyers} / nullif({buyers offset 1 week}, 0) - {old}"
    inputs: [{name: buyers, alias: old, offset_to_grain: month}]
templates:
  - name: rolling
    parameters: {prefix: {type: text}, window: {type: window, default: 7 days}}
    metrics:
      - {name: "{prefix}_actors", kind: cumulative, expr: count(distinct actor), window: "{window}"}
instantiate:
  - {template: rolling, with: {prefix: weekly}}
"""
    expressions = {
        "row.sql": "event in ('a', 'b') and not (amount between -1 and 2.5 or path like 'x!%%' escape '!') and extract(hour from time) >= 9",
        "formula.sql": "percentile_cont(x, 0.95) filter (where y is not null) + case when {a} > 1 then {b offset 2 mo} else sum(z::double) end / 60",
        "moments.sql": "date_trunc('week', time) = timestamp '2026-01-05T00:00:00+01:00' and time - created < interval '7 days'",
        "nested.sql": "(" * 30 + "1" + ")" * 30,
        "chain.sql": "+".join(["1"] * 300),
        "query.sql": "sum((select 1)); drop table x --",
    }
    return {
        "plain.yaml": registry.encode(),
        "plain.json": b'{"version":1,"metrics":[{"name":"n","kind":"simple","expr":"count(*)"}]}',
        "circle.yaml": b"version: 1\nmetrics:\n  - {name: a, kind: derived, expr: '{b}'}\n  - {name: b, kind: derived, expr: '{a}'}\n",
        "behaviour.yaml": b"version: 1\nmetrics:\n  - {name: f, kind: funnel, steps: [a = 1, b = 2], window: 1 day}\n  - {name: t, kind: time_to_convert, from: a, to: b, window: 7d, statistic: p95}\n",
        **{name: text.encode() for name, text in expressions.items()},
    }


if __name__ == "__main__":
    for target in (csv, json_lines, json_array, parquet, ipc, contract, metric):
        folder = SEEDS / {"json_lines": "ndjson"}.get(target.__name__, target.__name__)
        folder.mkdir(parents=True, exist_ok=True)
        seeds = target()
        for name, data in seeds.items():
            (folder / name).write_bytes(data)
        print(folder.name, len(seeds))
