#!/usr/bin/env node
/**
 * Writes the types of specs and the methods of events from the JSON Schemas of the core.
 *
 * usage: generate.mjs [--check]
 *
 * The files are committed, and the tests run this with --check: an operation or a field that is new in the core is here after
 * one run, and a change of the interface is seen in review.
 */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { addon } from "./build.mjs";

const WIDTH = 118;
const HEAD = "Written by `generate.mjs` from the JSON Schemas of the core; do not edit.";

/** What the schema says by naming another page of the reference. */
const SAID = {
  time_zone: "The IANA zone of days, of moments without an offset, and of the calendar; `UTC` unless given.",
  week_start: "The day on which weeks begin; Monday unless given.",
  fiscal_year_start: "The month in which years and quarters begin; January unless given.",
  fiscal_year_label: "Which calendar year a fiscal year is called after; the one in which it ends unless given.",
  periods: "Periods of one's own, each with grain, label, start and end, that take the place of those of the calendar.",
};
const MOMENTS = new Set(["from", "to", "as_of"]);
/** Types that only answers have, where moments are text. */
const ANSWERS = new Set(["FindingWindow", "Findings"]);
/** Types of parts that have another name here, because theirs says too little outside of their room. */
const NAMES = {
  Span: "Length",
  Format: "MetricFormat",
  Change: "Direction",
  Part: "FindingPart",
  Series: "FindingSeries",
  Window: "FindingWindow",
  Size: "FindingSize",
  Status: "FindingStatus",
  Named: "NamedValue",
  Related: "RelatedFinding",
};

const camel = (name) => name.replace(/_([a-z0-9])/g, (_, letter) => letter.toUpperCase());
const key = (name) => (/^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name));

/** The description of an item of Rust, for people who read TypeScript. */
function words(text = "") {
  return text
    .replace(/\*?\*?#* ?Examples\*?\*?\n[^]*?(?=\n\*\*|$)/g, "")
    .replace(/```[^]*?```/g, "")
    .replace(/\[(`[^`]+`)\]\([^)]*\)/g, "$1")
    .replace(/\[(`[^`]+`)\]/g, "$1")
    .replace(/\[([^\]`|]+)\]\([^)]*\)/g, "$1")
    .replace(/`(?:\w+::)+(\w+)`/g, "`$1`")
    .replace(/\*\//g, "*\u200b/")
    .trim();
}

/** Text as a comment; tables and lists stay as they are. */
function comment(text, pad) {
  if (!text) {
    return [];
  }
  const lines = [];
  for (const block of text.split(/\n\s*\n/)) {
    if (lines.length > 0) {
      lines.push("");
    }
    if (/^(\||- |\* )/.test(block)) {
      lines.push(...block.split("\n"));
      continue;
    }
    let line = "";
    for (const word of block.split(/\s+/)) {
      if (line && line.length + word.length + 1 > WIDTH - pad.length - 3) {
        lines.push(line);
        line = word;
      } else {
        line = line ? `${line} ${word}` : word;
      }
    }
    lines.push(line);
  }
  return lines.length === 1
    ? [`${pad}/** ${lines[0]} */`]
    : [`${pad}/**`, ...lines.map((line) => `${pad} * ${line}`.trimEnd()), `${pad} */`];
}

class Types {
  code = new Map();
  /** The lists of names among the fields of a type. */
  many = new Map();

  define(known, schema, defs) {
    if (known === "Length") {
      return known;
    }
    const before = this.code.get(known);
    if (before === null) {
      return known;
    }
    this.code.set(known, null);
    const code = this.item(known, schema, defs);
    if (before !== undefined && before !== code) {
      throw new Error(`two types are called ${known}; name one of them otherwise in NAMES`);
    }
    this.code.set(known, code);
    return known;
  }

  item(name, schema, defs) {
    const variants = (schema.oneOf ?? []).filter((option) => "const" in option && option.description);
    const list = variants.map((option) => `- ${JSON.stringify(option.const)}: ${words(option.description).split(/\s+/).join(" ")}`);
    const said = [words(schema.description), list.join("\n")].filter(Boolean).join("\n\n");
    const doc = comment(said, "");
    if (schema.type === "object" && schema.properties) {
      return [...doc, `export interface ${name} ${this.object(schema, defs, "", name)}`].join("\n");
    }
    return [...doc, `export type ${name} = ${this.type(schema, defs, "")};`].join("\n");
  }

  object(schema, defs, pad, name) {
    if (schema.additionalProperties && schema.additionalProperties !== true) {
      throw new Error(`${name} has names of the user, which the conversion of names must leave alone (KEEP in json.ts)`);
    }
    const required = new Set(schema.required ?? []);
    const lines = ["{"];
    const fields = Object.entries(schema.properties).sort(([a], [b]) => required.has(b) - required.has(a));
    for (const [field, value] of fields) {
      let type = MOMENTS.has(field) && !ANSWERS.has(name) ? "Moment" : this.type(value, defs, `${pad}  `);
      if (!required.has(field)) {
        type = type.split(" | ").filter((part) => part !== "null").join(" | ");
      }
      if (type === "readonly string[]") {
        type = `string | ${type}`;
        if (name) {
          this.many.set(name, (this.many.get(name) ?? new Set()).add(field));
        } else {
          type = "readonly string[]";
        }
      }
      const description = value.description ?? "";
      const said = (description === "" || description.startsWith("See")) && SAID[field] ? SAID[field] : words(description);
      lines.push(...comment(said, `${pad}  `));
      lines.push(`${pad}  ${key(camel(field))}${required.has(field) ? `: ${type}` : `?: ${type} | undefined`};`);
    }
    return [...lines, `${pad}}`].join("\n");
  }

  type(schema, defs, pad) {
    if (schema === true || (typeof schema === "object" && Object.keys(schema).every((k) => k === "description" || k === "default"))) {
      return "unknown";
    }
    if (schema.$ref) {
      const name = schema.$ref.split("/").at(-1);
      return this.define(NAMES[name] ?? name, defs[name], defs);
    }
    const options = schema.anyOf ?? schema.oneOf ?? schema.allOf;
    if (options) {
      const kinds = options.map((option) => ("const" in option ? JSON.stringify(option.const) : this.type(option, defs, pad)));
      return [...new Set(kinds)].join(" | ");
    }
    if ("const" in schema) {
      return JSON.stringify(schema.const);
    }
    if (schema.enum) {
      return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
    }
    if (Array.isArray(schema.type)) {
      const kinds = schema.type.map((one) => this.type({ ...schema, type: one }, defs, pad));
      return [...new Set(kinds)].join(" | ");
    }
    switch (schema.type) {
      case "object":
        if (!schema.properties) {
          throw new Error(`an object without fields: ${JSON.stringify(schema)}`);
        }
        return this.object(schema, defs, pad);
      case "array": {
        if (schema.prefixItems) {
          return `readonly [${schema.prefixItems.map((item) => this.type(item, defs, pad)).join(", ")}]`;
        }
        const item = this.type(schema.items, defs, pad);
        return / \| /.test(item) || item.startsWith("{") ? `readonly (${item})[]` : `readonly ${item}[]`;
      }
      case "string":
        return "string";
      case "integer":
      case "number":
        return "number";
      case "boolean":
        return "boolean";
      case "null":
        return "null";
      default:
        throw new Error(`an unknown schema: ${JSON.stringify(schema)}`);
    }
  }
}

function written(schemas) {
  const types = new Types();
  const questions = [];
  const kinds = new Map();
  for (const [name, schema] of Object.entries(schemas)) {
    const defs = schema.$defs ?? {};
    kinds.set(name, types.define(schema.title, schema, defs));
    if (name === "analysis") {
      for (const variant of schema.oneOf) {
        const [[kind, { $ref }]] = Object.entries(variant.properties);
        const type = $ref.split("/").at(-1);
        kinds.set(kind, type);
        questions.push({ kind, type, schema: defs[type] });
      }
    }
  }
  const specs = [
    "/**",
    " * Types of specs and options.",
    " *",
    ` * ${HEAD}`,
    " */",
    "",
    'import type { Length, Moment } from "./json.js";',
    "",
    [...types.code].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, code]) => code).join("\n\n"),
    "",
  ];
  const lists = [...kinds].filter(([, type]) => types.many.has(type)).sort();
  const fields = [
    "/**",
    " * Fields of specs and options that the conversion has to know.",
    " *",
    ` * ${HEAD}`,
    " */",
    "",
    "/** The fields of roles, in the JSON form. */",
    `export const ROLES: readonly string[] = ${JSON.stringify(Object.keys(schemas.roles.properties))};`,
    "",
    "/** The fields that are lists of names, by the kind of the spec, in the JSON form. */",
    "export const MANY: Readonly<Record<string, readonly string[]>> = {",
    ...lists.map(([kind, type]) => `  ${kind}: ${JSON.stringify([...types.many.get(type)])},`),
    "};",
    "",
  ];
  const methods = questions.map(({ kind, type, schema }) => {
    const said = `${words(schema.description).split(/\n\s*\n/)[0]}\n\nThe spec {@link ${type}} says what the table holds. Rejects with \`InvalidSpecError\` naming the field.`;
    const none = (schema.required ?? []).length === 0;
    return [
      ...comment(said, "  "),
      `  async ${camel(kind)}(spec: ${type}${none ? " = {}" : ""}, options?: CallOptions): Promise<Table> {`,
      `    return this.run({ ${camel(kind)}: spec }, options);`,
      "  }",
    ].join("\n");
  });
  const questionsFile = [
    "/**",
    " * Questions as methods of events.",
    " *",
    ` * ${HEAD}`,
    " */",
    "",
    'import type { CallOptions } from "./call.js";',
    `import type { Analysis, ${questions.map(({ type }) => type).sort().join(", ")} } from "./specs.js";`,
    'import type { Table } from "./table.js";',
    "",
    "/** One method for each question. */",
    "export abstract class Questions {",
    "  /** Answers an analysis. */",
    "  abstract run(spec: Analysis | string, options?: CallOptions): Promise<Table>;",
    "",
    methods.join("\n\n"),
    "}",
    "",
  ];
  return { "specs.ts": specs.join("\n"), "fields.ts": fields.join("\n"), "questions.ts": questionsFile.join("\n") };
}

const check = process.argv.includes("--check");
const schemas = JSON.parse(createRequire(import.meta.url)(addon).schemas());
const stale = [];
for (const [name, text] of Object.entries(written(schemas))) {
  const path = new URL(`ts/${name}`, import.meta.url);
  if (!existsSync(path) || readFileSync(path, "utf8") !== text) {
    stale.push(name);
    if (!check) {
      writeFileSync(path, text);
    }
  }
}
if (stale.length > 0 && check) {
  console.error(`not as the core has it: ${stale.join(", ")}; run aura-node/generate.mjs`);
  process.exit(1);
}
console.log(`${stale.length} files changed`);
