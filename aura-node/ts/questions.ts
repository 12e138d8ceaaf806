/**
 * Questions as methods of events.
 *
 * Written by `generate.mjs` from the JSON Schemas of the core; do not edit.
 */

import type { CallOptions } from "./call.js";
import type { Analysis, Funnel, Lifecycle, Retention, Sequence, Sessions, Stickiness } from "./specs.js";
import type { Table } from "./table.js";

/** One method for each question. */
export abstract class Questions {
  /** Answers an analysis. */
  abstract run(spec: Analysis | string, options?: CallOptions): Promise<Table>;

  /**
   * How many go through steps, where they stop, and how long it takes.
   *
   * The spec {@link Funnel} says what the table holds. Rejects with `InvalidSpecError` naming the field.
   */
  async funnel(spec: Funnel, options?: CallOptions): Promise<Table> {
    return this.run({ funnel: spec }, options);
  }

  /**
   * Whose events fit a pattern, how often, and how long it takes.
   *
   * The spec {@link Sequence} says what the table holds. Rejects with `InvalidSpecError` naming the field.
   */
  async sequence(spec: Sequence, options?: CallOptions): Promise<Table> {
    return this.run({ sequence: spec }, options);
  }

  /**
   * Who comes back: the share of those who did one thing that later do another.
   *
   * The spec {@link Retention} says what the table holds. Rejects with `InvalidSpecError` naming the field.
   */
  async retention(spec: Retention = {}, options?: CallOptions): Promise<Table> {
    return this.run({ retention: spec }, options);
  }

  /**
   * Sessions: the events of an actor with no gap longer than `gap` between neighbours.
   *
   * The spec {@link Sessions} says what the table holds. Rejects with `InvalidSpecError` naming the field.
   */
  async sessions(spec: Sessions = {}, options?: CallOptions): Promise<Table> {
    return this.run({ sessions: spec }, options);
  }

  /**
   * How often actors are active: how many of them on how many days of a month.
   *
   * The spec {@link Stickiness} says what the table holds. Rejects with `InvalidSpecError` naming the field.
   */
  async stickiness(spec: Stickiness = {}, options?: CallOptions): Promise<Table> {
    return this.run({ stickiness: spec }, options);
  }

  /**
   * How many actors are new, come back, are awake again or have fallen asleep, period by period.
   *
   * The spec {@link Lifecycle} says what the table holds. Rejects with `InvalidSpecError` naming the field.
   */
  async lifecycle(spec: Lifecycle = {}, options?: CallOptions): Promise<Table> {
    return this.run({ lifecycle: spec }, options);
  }
}
