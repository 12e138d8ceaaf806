#!/usr/bin/env python3
"""Writes the types, specs and methods of the package from the JSON Schemas of the core.

usage: generate.py EXTENSION [--check]

EXTENSION is the compiled module. The files are committed, and the tests run this with --check: an operation or a field that is
new in the core is here after one run, and a change of the interface is seen in review.
"""

import importlib.machinery
import importlib.util
import json
import keyword
import re
import sys
import textwrap
from pathlib import Path

PACKAGE = Path(__file__).parent / "python" / "aura"
WIDTH = 118
HEAD = '"""{}\n\nWritten by ``generate.py`` from the JSON Schemas of the core; do not edit.\n"""\n\nfrom __future__ import annotations\n'

# Fields that most specs have stand last, in this order.
COMMON = ["by", "filter", "from", "to", "as_of", "actor", "time_zone", "week_start", "fiscal_year_start"]
COMMON += ["fiscal_year_label", "periods"]
# What the schema says by naming another page of the reference.
SAID = {
    "time_zone": "The IANA zone of days, of moments without an offset, and of the calendar; ``UTC`` unless given.",
    "week_start": "The day on which weeks begin; Monday unless given.",
    "fiscal_year_start": "The month in which years and quarters begin; January unless given.",
    "fiscal_year_label": "Which calendar year a fiscal year is called after; the one in which it ends unless given.",
    "periods": "Periods of one's own, each with grain, label, start and end, that take the place of those of the calendar.",
}
# What says in Python what the core says by naming items of Rust.
OWN_WORDS = {
    ("Insights", "rules"): "What is looked for; :meth:`Rules.builtin` unless given.",
    ("Insights", "from"): "The first moment: a date or time in the zone of the question, or an instant with its offset. The first event unless given; "
    "the period that it begins in the middle of is not judged.",
}
MOMENTS = {"from", "to", "as_of"}
# The names of types in Python.
NAMES = {"Span": "Length"}
# Arguments that classes of the package are for; `_insights.py` has them.
ARGUMENTS = {
    "rules": "Rules | abc.Mapping[str, object]",
    "previous": "Findings | abc.Mapping[str, object]",
}
# Two types of the core have this name: here it is the one of values, and the one of files keeps it.
RENAMED = {"Format": "ValueStyle"}
# Questions that definitions of metrics belong to: the methods with arguments, those that take the spec, and what comes.
OF_METRICS = {"metric_query": ("metrics", "ask", "Table"), "insights": ("insights", "find", "Findings")}


def load(extension):
    loader = importlib.machinery.ExtensionFileLoader("_aura", extension)
    spec = importlib.util.spec_from_loader("_aura", loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return {name: json.loads(text) for name, text in module.schemas().items()}


def renamed(schema):
    """A schema whose types do not have the names of others."""
    text = json.dumps(schema)
    for old, new in RENAMED.items():
        text = text.replace(f'"#/$defs/{old}"', f'"#/$defs/{new}"').replace(f'"{old}": {{', f'"{new}": {{')
    return json.loads(text)


def words(text):
    """The description of an item of Rust, for people who read Python."""
    text = re.sub(r"\*?\*?#? ?Examples\*?\*?\n.*?(?=\n\*\*|\Z)", "", text or "", flags=re.S)
    text = re.sub(r"\[(`[^`]+`)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"\[(`[^`]+`)\]", r"\1", text)
    text = re.sub(r"\[([^\]`|]+)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"`(?:\w+::)*(\w+)`", r"`\1`", text)
    text = re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", text)
    return text.replace("\\", "\\\\").strip()


def wrapped(text, indent, first=""):
    """Text as lines of a docstring; tables stay as they are."""
    lines = []
    for block in re.split(r"\n\s*\n", text):
        if lines:
            lines.append("")
        if block.startswith(("|", "- ", "* ")):
            lines += block.split("\n")
        else:
            lines += textwrap.wrap(" ".join(block.split()), WIDTH - indent, break_long_words=False, break_on_hyphens=False)
    return ("\n" + " " * indent).join(line for line in lines).replace("\n" + " " * indent + "\n", "\n\n") if lines else ""


def literal(value):
    """A default as Python writes it."""
    return json.dumps(value) if isinstance(value, str) else repr(value)


def summary(text):
    return re.split(r"\n\s*\n", text)[0]


class Types:
    """The types of the schemas: aliases and dicts, in the order in which one needs another."""

    def __init__(self):
        self.code = {}
        self.doing = set()

    def define(self, name, schema, defs):
        if name in self.code or name in self.doing or name in NAMES:
            return
        self.doing.add(name)
        doc = wrapped(words(schema.get("description", "")), 0)
        if schema.get("type") == "object" and "properties" in schema:
            code = self.dict(name, schema, defs, doc)
        else:
            code = f"{name} = {self.type(schema, defs, name, alias=True)}"
            code += f'\n"""{doc}"""' if doc else ""
        self.code[name] = code

    def dict(self, name, schema, defs, doc=""):
        required = schema.get("required", [])
        fields = {key: self.type(value, defs, name + key.title().replace("_", "")) for key, value in schema["properties"].items()}
        if any(keyword.iskeyword(key) for key in fields):
            items = ", ".join(f'"{k}": "{t if k in required else f"NotRequired[{t}]"}"' for k, t in fields.items())
            return f'{name} = TypedDict("{name}", {{{items}}})' + (f'\n"""{doc}"""' if doc else "")
        lines = [f'class {name}(TypedDict, total=False):', f'    """{wrapped(words(schema.get("description", "")), 4) or "See the spec."}"""', ""]
        for key, kind in fields.items():
            lines.append(f"    {key}: {f'Required[{kind}]' if key in required else kind}")
            said = wrapped(words(schema["properties"][key].get("description", "")), 4)
            lines += [f'    """{said}"""'] if said else []
        return "\n".join(lines)

    def type(self, schema, defs, where, alias=False):
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[1]
            self.define(name, defs[name], defs)
            return NAMES.get(name, name)
        options = schema.get("anyOf") or schema.get("oneOf")
        if options:
            values = [option["const"] for option in options if "const" in option]
            kinds = [f"Literal[{', '.join(json.dumps(v) for v in values)}]"] if values else []
            for at, option in enumerate(option for option in options if "const" not in option):
                kinds.append(self.type(option, defs, f"{where}Object"))
            return " | ".join(dict.fromkeys(kinds))
        if "enum" in schema:
            return f"Literal[{', '.join(json.dumps(v) for v in schema['enum'])}]"
        kind = schema.get("type")
        if isinstance(kind, list):
            parts = [self.type({**schema, "type": one}, defs, where) for one in kind]
            return " | ".join(dict.fromkeys(parts))
        if kind == "object" and "properties" in schema:
            (key, *more) = schema["properties"]
            if not more and where.endswith("Object"):
                where = f"{where.removesuffix('Object')}{key.title().replace('_', '')}"
            self.code[where] = self.dict(where, schema, defs)
            return where
        if kind == "array":
            return f"Sequence[{self.type(schema['items'], defs, where + 'Item')}]"
        plain = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
        return plain.get(kind, "Any")


class Question:
    """A spec with its fields as arguments."""

    def __init__(self, kind, name, schema, defs, types):
        self.kind, self.name = kind, name
        self.doc = words(schema.get("description", ""))
        required = schema.get("required", [])
        order = required + sorted(set(schema["properties"]) - set(required) - set(COMMON))
        order += [field for field in COMMON if field in schema["properties"]]
        self.fields = []
        for field in order:
            value = schema["properties"][field]
            if field in MOMENTS:
                type_ = "str | date"
            else:
                type_ = ARGUMENTS.get(field) or types.type(value, defs, name + field.title())
            type_ = " | ".join(part for part in type_.split(" | ") if part != "None")
            many = type_ == "Sequence[str]"
            type_ = type_.replace("Sequence[", "abc.Sequence[")
            type_ = f"str | {type_}" if many else type_.replace("str | date", "Moment")
            default = value.get("default")
            default = default if isinstance(default, (str, int, float, bool)) else None
            argument = f"{field}_" if keyword.iskeyword(field) else field
            said = SAID.get(field) if (value.get("description") or "See").startswith("See") else OWN_WORDS.get((name, field))
            self.fields.append((argument, field, type_, default, field in required, many, said or words(value.get("description", ""))))

    def arguments(self, own=""):
        need = [f"{a}: {t}" for a, _, t, _, required, _, _ in self.fields if required]
        may = []
        for argument, _, type_, default, required, _, _ in self.fields:
            if not required:
                may.append(f"{argument}: {type_} = {literal(default)}" if default is not None else f"{argument}: {type_} | None = None")
        return [*need, "*", *([own] if own else []), *may]

    def calling(self):
        return ", ".join(a if required else f"{a}={a}" for a, _, _, _, required, _, _ in self.fields)

    def parameters(self, indent):
        pad = " " * indent
        lines = []
        for argument, _, _, _, _, _, said in self.fields:
            body = textwrap.wrap(f":param {argument}: {' '.join(summary(said).split())}", WIDTH - indent - 4, break_on_hyphens=False)
            lines += [pad + (line if at == 0 else "    " + line) for at, line in enumerate(body)]
        return "\n".join(lines)

    def spec(self):
        code = [f"class {self.name}(Spec):", f'    """{wrapped(self.doc, 4)}', "", self.parameters(4), '    """', ""]
        code += ["    __slots__ = ()", f'    kind = "{self.kind}"', "", "    def __init__(", "        self,"]
        code += [f"        {argument}," for argument in self.arguments()]
        code += ["    ) -> None:", "        self._fields = given(", "            {"]
        code += [f'                "{a}": {f"many({a})" if many else a},' for a, _, _, _, _, many, _ in self.fields]
        code += ["            }", "        )"]
        return "\n".join(code)

    def methods(self):
        method, ask, result, own, extra = self.kind, "run", "Table", "", ""
        if self.kind in OF_METRICS:
            method, ask, result = OF_METRICS[self.kind]
            own, extra = "registry: Registry | None = None", ", registry"
        code = []
        for prefix, suffix, wait in (("", "", ""), ("async ", "_async", "await ")):
            code += [f"    {prefix}def {method}{suffix}(", "        self,"]
            code += [f"        {argument}," for argument in self.arguments(own)]
            code += [f"    ) -> {result}:"]
            if suffix:
                code += [f'        """Answers :meth:`{method}` without holding up the event loop; cancelling the task stops the work."""']
            else:
                held = "The spec :class:`~aura.{}` says what the table holds." if result == "Table" else "See also :class:`~aura.{}`."
                said = f"{summary(self.doc)}\n\n{held.format(self.name)}"
                code += [f'        """{wrapped(said, 8)}', ""]
                if own:
                    code += ["        :param registry: the definitions; the built-in metrics unless given"]
                code += [self.parameters(8), "", "        Raises :class:`~aura.InvalidSpecError` naming the field.", '        """']
            code += [f"        spec = {self.name}(", textwrap.fill(self.calling(), WIDTH, initial_indent=" " * 12, subsequent_indent=" " * 12), "        )"]
            code += [f"        return {wait}self.{ask}{suffix}(spec{extra})", ""]
        return "\n".join(code)


def written(schemas):
    types, questions = Types(), []
    analysis = schemas["analysis"]
    for variant in analysis["oneOf"]:
        ((kind, reference),) = variant["properties"].items()
        name = reference["$ref"].rsplit("/", 1)[1]
        questions.append(Question(kind, name, analysis["$defs"][name], analysis["$defs"], types))
    query = schemas["metric_query"]
    questions.append(Question("metric_query", "MetricQuery", query, query["$defs"], types))
    insights, findings = renamed(schemas["insights"]), renamed(schemas["findings"])
    questions.append(Question("insights", "Insights", insights, insights["$defs"], types))
    types.define("Finding", findings["$defs"]["Finding"], findings["$defs"])
    # A section takes specs that are values, so that `_report.py` writes its type.
    types.define("Language", schemas["report_spec"]["$defs"]["Language"], {})
    for name, schema in schemas.items():
        if name not in ("analysis", "metric_query", "insights", "findings", "report_spec"):
            types.define(schema["title"], schema, schema.get("$defs", {}))
    code = types.code
    needed = sorted({name for q in questions for f in q.fields for name in re.findall(r"\b[A-Z]\w+", f[2])} & set(code))
    uses = ", ".join(needed)
    files = {}
    markers = [name for name in ("NotRequired", "Required") if re.search(rf"\b{name}\[", "".join(code.values()))]
    untyped = "Any, " if re.search(r"\bAny\b", " ".join(code.values())) else ""
    files["_types.py"] = "\n".join(
        [
            HEAD.format("Types of the parts of specs and options."),
            "from collections.abc import Sequence",
            f"from typing import TYPE_CHECKING, {untyped}Literal, TypedDict",
            "",
            "if TYPE_CHECKING:",
            f"    from typing_extensions import {', '.join(markers)}",
            "",
            "from ._spec import Length",
            *(f"\n{text}" for text in code.values()),
        ]
    )
    imports = [
        # `Sequence` is a spec.
        "from collections import abc",
        "",
        "from ._spec import Length, Moment{}",
        f"from ._types import (\n{textwrap.fill(uses, 100, initial_indent='    ', subsequent_indent='    ')},\n)",
    ]
    files["_specs.py"] = "\n".join(
        [
            HEAD.format("Questions as values."),
            imports[0],
            "from typing import TYPE_CHECKING",
            *(line.format(", Spec, given, many") for line in imports[1:]),
            "",
            "if TYPE_CHECKING:",
            "    from ._insights import Findings, Rules",
            "",
            "",
            "\n\n\n".join(q.spec() for q in questions),
            "",
        ]
    )
    specs = ", ".join(sorted(q.name for q in questions))
    files["_questions.py"] = "\n".join(
        [
            HEAD.format("Questions as methods of events."),
            imports[0],
            "from typing import TYPE_CHECKING",
            "",
            imports[2].format(", Spec"),
            f"from ._specs import {specs}",
            "from ._table import Table",
            imports[3],
            "",
            "if TYPE_CHECKING:",
            "    from ._insights import Findings, Rules",
            "    from ._registry import Registry",
            "",
            "",
            "class Questions:",
            '    """One method for each question, and one that does not hold up the event loop."""',
            "",
            "    __slots__ = ()",
            "",
            "    def run(self, spec: Spec) -> Table:",
            '        """Answers an analysis."""',
            "        raise NotImplementedError",
            "",
            "    async def run_async(self, spec: Spec) -> Table:",
            '        """Answers an analysis without holding up the event loop."""',
            "        raise NotImplementedError",
            "",
            "    def ask(self, query: MetricQuery, registry: Registry | None = None) -> Table:",
            '        """Answers a question about metrics."""',
            "        raise NotImplementedError",
            "",
            "    async def ask_async(self, query: MetricQuery, registry: Registry | None = None) -> Table:",
            '        """Answers a question about metrics without holding up the event loop."""',
            "        raise NotImplementedError",
            "",
            "    def find(self, question: Insights, registry: Registry | None = None) -> Findings:",
            '        """Finds what changed."""',
            "        raise NotImplementedError",
            "",
            "    async def find_async(self, question: Insights, registry: Registry | None = None) -> Findings:",
            '        """Finds what changed without holding up the event loop."""',
            "        raise NotImplementedError",
            "",
            "\n".join(q.methods() for q in questions),
        ]
    )
    files["_types.py"] = files["_types.py"].rstrip() + "\n"
    files["_questions.py"] = files["_questions.py"].rstrip() + "\n"
    return files


def main():
    stale = []
    for name, text in written(load(sys.argv[1])).items():
        path = PACKAGE / name
        if not path.exists() or path.read_text() != text:
            stale.append(name)
            if "--check" not in sys.argv:
                path.write_text(text)
    if stale and "--check" in sys.argv:
        sys.exit(f"not as the core has it: {', '.join(stale)}; run aura-py/generate.py")
    print(f"{len(stale)} files changed")


main()
