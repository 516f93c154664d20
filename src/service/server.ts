/**
 * Serves the API on two Unix sockets: `api.sock` for everybody (reading, poke) and `api-admin.sock` beside it for root
 * and the service's own user (everything).
 */
import { createServer, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { Control } from '../controller/view.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { makeApi } from './api.ts';
import { apiClient } from './client.ts';
import { adminSocket } from './paths.ts';
import type { PoolControl } from './pools.ts';
import { AliveError, giveTo, listenOn } from './socket.ts';

/** How long open requests may still be answered after the stop; then their connections are cut. */
const GRACE_MS = 500;
/** Connections at one time on the public socket: whoever uses them up locks out other users, never root. */
const MAX_CONNECTIONS = 256;

export interface ServeParts {
  /** Path of the public socket; the admin socket lies beside it. */
  readonly socket: string;
  /** Id of the group that may use the admin socket, too; null for nobody. */
  readonly group?: number | null;
  readonly log: Log;
  readonly clock: Clock;
}

/**
 * Listens on both sockets. Disposing ends open requests for events at once, cuts whatever is left after half a second
 * and removes the socket files.
 * @throws Error in one line, naming the other's pid when a service answers there already
 */
export async function serve(
  control: Control | readonly PoolControl[],
  { socket, group = null, log, clock }: ServeParts,
): Promise<AsyncDisposable> {
  const stop = new AbortController();
  await using opened = new AsyncDisposableStack();

  const offers = [
    { path: adminSocket(socket), may: 'all', mode: 0o600, group },
    { path: socket, may: 'read', mode: 0o666, group: null },
  ] as const;
  for (const { path, may, mode, group } of offers) {
    const api = makeApi({ control, may, stop: stop.signal, clock, log });
    const server = createServer(getRequestListener(api.fetch, { overrideGlobalObjects: false }));
    server.maxConnections = MAX_CONNECTIONS;
    server.requestTimeout = 10_000;
    opened.defer(() => close(server, clock));
    try {
      await listenOn(server, path, mode);
      if (group !== null) giveTo(path, group);
    } catch (error) {
      throw error instanceof AliveError ? await nameTheOther(error, socket, clock) : error;
    }
    server.on('error', (error) => log.error('The API socket failed', { path, error: error.message }));
  }
  log.info(`The API listens on ${socket}`);

  const open = opened.move();
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await open.disposeAsync();
    },
  };
}

async function close(server: Server, clock: Clock): Promise<void> {
  if (!server.listening) return;
  const closed = new AbortController();
  const done = new Promise<void>((resolve) =>
    server.close(() => {
      closed.abort();
      resolve();
    }),
  );
  await clock.sleep(GRACE_MS, closed.signal);
  server.closeAllConnections();
  await done;
}

async function nameTheOther(error: AliveError, socket: string, clock: Clock): Promise<Error> {
  try {
    const { pid } = await apiClient(socket, clock).get<{ pid: number }>('/version', { limit: 2000 });
    return new Error(`Another hybrid-cloud (pid ${pid}) answers at ${socket}: it is not pushed aside`, {
      cause: error,
    });
  } catch {
    return new Error(`${error.message}: it is not pushed aside`, { cause: error });
  }
}
