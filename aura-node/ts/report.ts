/** Reports, and charts by themselves. */

import { type CallOptions, call } from "./call.js";
import { sync } from "./errors.js";
import { snake, toJson } from "./json.js";
import { native } from "./loader.js";
import type { NativeReport } from "./native.js";
import type { Language, RenderOptions } from "./specs.js";

/** A report: sections of charts, tables, numbers and findings, each with the spec that it came from. */
export class Report {
  /** @internal */
  readonly _native: NativeReport;

  /** @internal */
  constructor(native: NativeReport) {
    this._native = native;
  }

  /**
   * Takes a report in its JSON form, as {@link Report.toJSON} gives it or a host puts it together.
   *
   * @throws {InvalidSpecError} naming the field.
   */
  static from(report: object): Report {
    const text = toJson(report);
    return sync(() => new Report(native.Report.parse(text)));
  }

  /** The report in the JSON form, which is the same in all languages. */
  toJSON(): Record<string, unknown> {
    return JSON.parse(sync(() => this._native.toJson())) as Record<string, unknown>;
  }

  /** The report as one self-contained page of HTML, without scripts. */
  async toHtml(options?: RenderOptions & CallOptions): Promise<string> {
    return this.#rendered(true, options);
  }

  /** The report as Markdown: CommonMark with the tables of GitHub, charts as tables. */
  async toMarkdown(options?: RenderOptions & CallOptions): Promise<string> {
    return this.#rendered(false, options);
  }

  async #rendered(html: boolean, options: (RenderOptions & CallOptions) | undefined): Promise<string> {
    const { signal, ...render } = options ?? {};
    const text = toJson(snake(render));
    return call({ signal }, (cancel) => this._native.render(html, text, cancel));
  }
}

/** A chart in the JSON form in which reports have it (`figure.chart`). */
export type Chart = Record<string, unknown>;

/**
 * Draws a chart as SVG.
 *
 * @throws {InvalidSpecError} for what is no chart, and where its parts do not fit together.
 */
export function chartSvg(chart: Chart, language: Language = "en"): string {
  return sync(() => native.chartSvg(toJson(chart), toJson(language)));
}

/**
 * Writes a chart for Vega-Lite 5, for those who draw elsewhere.
 *
 * @throws {InvalidSpecError} for what is no chart, and where its parts do not fit together.
 */
export function chartVegaLite(chart: Chart, language: Language = "en"): Record<string, unknown> {
  return JSON.parse(sync(() => native.chartVegaLite(toJson(chart), toJson(language)))) as Record<string, unknown>;
}
