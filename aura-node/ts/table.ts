/** The result of every question. */

import { type CallOptions, call } from "./call.js";
import { toJson, snake } from "./json.js";
import type { NativeTable } from "./native.js";
import type { CsvOptions, ExportFormat } from "./specs.js";

/** What was read to answer. */
export interface Scan {
  /** Data files of the tables that were asked. */
  filesTotal: number;
  /** Files left after looking at their statistics: the ones that were read. */
  filesRead: number;
  /** Bytes read from files. */
  bytesRead: number;
}

/**
 * A value of a table: a whole number is a `number` up to 2⁵³ and a `bigint` beyond; bytes are a `Uint8Array`; a moment is a `Date`, cut to
 * milliseconds; a duration is a number of milliseconds; a list is an array, a struct an object. All other types, and
 * moments that `Date` cannot hold, are text.
 */
export type Value = null | boolean | number | bigint | string | Date | Uint8Array | Value[] | { [name: string]: Value };

/** A row by the names of its columns. */
export type TableRow = Record<string, Value>;

const SHOWN = 20;

/** An Arrow table with notes: the result of every question. */
export class Table {
  /** @internal */
  readonly _native: NativeTable;

  /** @internal */
  constructor(native: NativeTable) {
    this._native = native;
  }

  /** The number of rows. */
  get numRows(): number {
    return this._native.numRows();
  }

  /** The names of the columns. */
  get columns(): string[] {
    return this._native.columns();
  }

  /** The Arrow type of each column, by its name. */
  get types(): Record<string, string> {
    const types = this._native.types();
    return Object.fromEntries(this.columns.map((name, at) => [name, types[at] ?? ""]));
  }

  /** What a careful analyst would add. */
  get notes(): string[] {
    return this._native.notes();
  }

  /** How much was read to answer. */
  get scan(): Scan {
    const [filesTotal, filesRead, bytesRead] = this._native.scan();
    return { filesTotal, filesRead, bytesRead };
  }

  /**
   * The values of a column.
   *
   * @throws {RangeError} when there is no such column.
   */
  column(name: string): Value[] {
    const at = this.columns.indexOf(name);
    if (at < 0) {
      throw new RangeError(`no column '${name}'; there are ${this.columns.join(", ")}`);
    }
    return this._native.values(at) as Value[];
  }

  /** The rows, or the first `limit` of them, as objects. Of columns with the same name the last one is there. */
  rows(options?: { limit?: number | undefined }): TableRow[] {
    const names = this.columns;
    return this.toArrays(options).map((row) => Object.fromEntries(row.map((value, at) => [names[at], value])));
  }

  /** The rows, or the first `limit` of them, as arrays of values in the order of the columns. */
  toArrays(options?: { limit?: number | undefined }): Value[][] {
    const limit = options?.limit;
    if (limit !== undefined && !(Number.isInteger(limit) && limit >= 0)) {
      throw new RangeError(`limit is ${limit}; it is a whole number from 0`);
    }
    const columns = this.columns.map((_, at) => this._native.values(at, limit) as Value[]);
    const rows = Math.min(this.numRows, limit ?? Infinity);
    return Array.from({ length: rows }, (_, row) => columns.map((values) => values[row] ?? null));
  }

  /** Goes through the rows as objects. */
  [Symbol.iterator](): Iterator<TableRow> {
    return this.rows()[Symbol.iterator]();
  }

  /**
   * The table as a stream of Arrow IPC, byte for byte the same in every language. An empty table keeps its schema.
   *
   * With `plain` it has no types that some readers do not know (views, runs); `apache-arrow` wants that.
   */
  async toIPC(options?: CallOptions & { plain?: boolean | undefined }): Promise<Uint8Array> {
    return call(options, (cancel) => this._native.ipc(options?.plain ?? false, cancel));
  }

  /**
   * The table as the content of a file: `csv` (with formulas guarded), `json`, `ndjson`, `parquet`, `arrow_ipc` or `xlsx`. `csv` are
   * options of CSV.
   */
  async export(
    format: ExportFormat,
    options?: CallOptions & { csv?: CsvOptions | undefined },
  ): Promise<Uint8Array> {
    const csv = options?.csv && toJson(snake(options.csv));
    return call(options, (cancel) => this._native.export(toJson(format), csv, cancel));
  }

  /** The first rows, drawn with lines, and the notes. */
  toString(): string {
    const more = this.numRows - SHOWN;
    const lines = [this._native.drawn(SHOWN)];
    if (more > 0) {
      lines.push(`${more.toLocaleString("en")} more of ${this.numRows.toLocaleString("en")} rows`);
    }
    return [...lines, ...this.notes.map((note) => `note: ${note}`)].join("\n");
  }

  /** Shows the table where Node shows a value. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}
