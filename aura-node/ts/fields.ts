/**
 * Fields of specs and options that the conversion has to know.
 *
 * Written by `generate.mjs` from the JSON Schemas of the core; do not edit.
 */

/** The fields of roles, in the JSON form. */
export const ROLES: readonly string[] = ["actor","event","event_id","event_name","time","time_unit","time_zone"];

/** The fields that are lists of names, by the kind of the spec, in the JSON form. */
export const MANY: Readonly<Record<string, readonly string[]>> = {
  funnel: ["by","same"],
  insights: ["by","holidays","metrics"],
  lifecycle: ["by"],
  metric_query: ["metrics","by"],
  retention: ["by"],
  sequence: ["by"],
  sessions: ["by"],
  sql_source: ["table"],
  stickiness: ["by"],
};
