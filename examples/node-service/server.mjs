/** A store of events behind HTTP. */

import { createServer } from "node:http";

import { AuraError } from "aura-analytics";

/** The status of each kind of error. */
const STATUS = {
  INVALID_SPEC: 400,
  INVALID_DATA: 422,
  NOT_FOUND: 404,
  CONFLICT: 409,
  DENIED: 403,
  UNAVAILABLE: 503,
  RESOURCE_EXHAUSTED: 507,
  CANCELLED: 499,
};

const ARROW = "application/vnd.apache.arrow.stream";
/** The most bytes of a spec. */
const LONGEST_SPEC = 100_000;

class RequestError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Whole numbers beyond 2⁵³ are text, since JSON readers would round them. */
const plain = (_, value) => (typeof value === "bigint" ? value.toString() : value);

function send(response, status, body, type = "application/json") {
  const content = type === "application/json" ? JSON.stringify(body, plain) : body;
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(content) }).end(content);
}

/** The answer to a question: as Arrow IPC for those who ask for it, as rows for all others. */
async function sendTable(request, response, table, signal) {
  if (request.headers.accept === ARROW) {
    send(response, 200, await table.toIPC({ signal }), ARROW);
  } else {
    send(response, 200, { rows: table.rows({ limit: 10_000 }), total: table.numRows, notes: table.notes });
  }
}

async function text(request) {
  const pieces = [];
  let length = 0;
  // Leaving a loop over the request itself would destroy it, and its connection with it, before the answer is sent.
  for await (const piece of request.iterator({ destroyOnReturn: false })) {
    length += piece.length;
    if (length > LONGEST_SPEC) {
      throw new RequestError(413, `a spec has at most ${LONGEST_SPEC} bytes`);
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

/** The fields of a spec from the query of a URL; those that are lists are separated by commas. */
function fields(url, lists) {
  const named = [...url.searchParams].map(([name, value]) => [name, lists.includes(name) ? value.split(",") : value]);
  return Object.fromEntries(named);
}

const ROUTES = {
  "POST /events": async ({ store, request, response, signal }) => {
    // The body is read as it comes, and never held as a whole.
    const { read, accepted, duplicate, rejected, rejects } = await store.ingest(request, { name: "request", signal });
    const reasons = rejects.slice(0, 10).map(({ row, field, message }) => ({ row, field, message }));
    send(response, 200, { read, accepted, duplicate, rejected, rejects: reasons });
  },
  "GET /funnel": async ({ store, request, response, url, signal }) => {
    const events = await store.events({ signal });
    const table = await events.funnel(fields(url, ["steps", "by"]), { signal });
    await sendTable(request, response, table, signal);
  },
  "GET /metrics": async ({ store, request, response, url, signal }) => {
    const events = await store.events({ signal });
    const table = await events.metrics(fields(url, ["metrics", "by"]), { signal });
    await sendTable(request, response, table, signal);
  },
  "POST /ask": async ({ store, request, response, signal }) => {
    const spec = await text(request);
    const events = await store.events({ signal });
    await sendTable(request, response, await events.run(spec, { signal }), signal);
  },
  "GET /report": async ({ store, response, url, signal }) => {
    const events = await store.events({ signal });
    const report = await events.report(fields(url, []), { signal });
    send(response, 200, await report.toHtml({ signal }), "text/html; charset=utf-8");
  },
  "GET /health": async ({ store, response, signal }) => send(response, 200, await store.stats({ signal })),
};

/** Makes the server; it is not listening yet, and the store is the caller's to close. */
export function service(store) {
  return createServer(async (request, response) => {
    // Who hangs up has no more use for the answer.
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    try {
      const url = new URL(request.url, "http://localhost");
      const route = ROUTES[`${request.method} ${url.pathname}`];
      if (route === undefined) {
        throw new RequestError(404, `there is no ${request.method} ${url.pathname}`);
      }
      await route({ store, request, response, url, signal: gone.signal });
    } catch (error) {
      if (gone.signal.aborted || response.headersSent) {
        response.destroy();
        return;
      }
      const status = error instanceof AuraError ? (STATUS[error.code] ?? 500) : (error.status ?? 500);
      if (!request.complete) {
        // The rest of the body is not read, so that no other request can come after it.
        response.setHeader("connection", "close");
      }
      send(response, status, { code: error.code ?? "REQUEST", message: status === 500 ? "internal error" : error.message });
      if (status === 500) {
        console.error(error);
      }
    }
  });
}
