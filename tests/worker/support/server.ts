// The real Worker on a real local workerd, for the spec files in tests/worker.

import { after, before } from "node:test";
import { startServer } from "../../../scripts/server.mjs";

export type Server = Awaited<ReturnType<typeof startServer>>;

/**
 * A fresh server for the tests of one file: empty, migrated, with a platform key of its own. Call it at the top of the file;
 * the answer may be read from the first test on.
 */
export function freshServer(options: Parameters<typeof startServer>[0] = {}): { readonly current: Server } {
  let server: Server | undefined;
  before(async () => {
    server = await startServer(options);
  });
  after(async () => {
    await server?.stop();
  });
  return {
    get current(): Server {
      if (!server) throw new Error("The server is there from the first test on, not while the file is loading.");
      return server;
    },
  };
}

export { startServer };
