/** Starts the service: `node main.mjs [STORE] [PORT]`. */

import { open } from "aura-analytics";

import { service } from "./server.mjs";

const [path = "my.aura", port = "8080"] = process.argv.slice(2);
const store = await open(path);
const server = service(store);

server.listen(Number(port), "127.0.0.1", () => {
  const { address, port } = server.address();
  console.log(`listening on http://${address}:${port}`);
});

for (const signal of ["SIGTERM", "SIGINT"]) {
  process.once(signal, () => {
    server.close(() => store.close());
    server.closeIdleConnections();
  });
}
