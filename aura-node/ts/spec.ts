/** Specs in their JSON form. */

import { MANY } from "./fields.js";
import { snake, toJson } from "./json.js";
import type { Analysis } from "./specs.js";

type Fields = Record<string, unknown>;

/** One name stands for a list of one, where the field of a spec is a list of names. */
function listed(kind: string, fields: Fields): Fields {
  const lists = (MANY[kind] ?? []).filter((name) => typeof fields[name] === "string");
  return { ...fields, ...Object.fromEntries(lists.map((name) => [name, [fields[name]]])) };
}

/** The same for a spec below its kind, such as `{ funnel: … }`. */
function listedBelow(spec: Fields, name = (kind: string): string => kind): Fields {
  const entries = Object.entries(spec).map(([kind, fields]): [string, unknown] => {
    const isObject = typeof fields === "object" && fields !== null && !Array.isArray(fields);
    return [kind, isObject ? listed(name(kind), fields as Fields) : fields];
  });
  return Object.fromEntries(entries);
}

/** What the kinds of sections of a report are called elsewhere. */
const SHOWN: Fields = { metrics: "metric_query", findings: "insights" };

function section(fields: Fields): Fields {
  const show = fields["show"] as Fields | undefined;
  if (typeof show !== "object" || show === null) {
    return fields;
  }
  const analysis = show["analysis"] as Fields | undefined;
  const below = typeof analysis === "object" && analysis !== null ? { ...show, analysis: listedBelow(analysis) } : show;
  return { ...fields, show: listedBelow(below, (kind) => String(SHOWN[kind] ?? kind)) };
}

/** Writes a spec of a kind. Text is the JSON form already. */
export function specJson(kind: string, spec: object | string): string {
  if (typeof spec === "string") {
    return spec;
  }
  const fields = listed(kind, snake(spec) as Fields);
  const sections = fields["sections"];
  if (kind === "report_spec" && Array.isArray(sections)) {
    fields["sections"] = sections.map((one) => section(one as Fields));
  }
  return toJson(fields);
}

/** Writes an analysis. Text is the JSON form already. */
export function analysisJson(spec: Analysis | string): string {
  return typeof spec === "string" ? spec : toJson(listedBelow(snake(spec) as Fields));
}
