/**
 * What a service that stands by answers on its sockets: who is at work. It knows nothing else and changes nothing.
 */
import { createServer } from 'node:http';
import { adminSocket, ELSEWHERE } from './paths.ts';
import { listenOn } from './socket.ts';

/**
 * Answers every call on both sockets with `text()` until it is disposed.
 * @throws Error in one line when somebody listens there already
 */
export async function serveStandby(socket: string, text: () => string): Promise<AsyncDisposable> {
  await using opened = new AsyncDisposableStack();
  for (const { path, mode } of [
    { path: adminSocket(socket), mode: 0o600 },
    { path: socket, mode: 0o666 },
  ]) {
    const server = createServer((request, response) => {
      request.resume();
      response.writeHead(ELSEWHERE, { 'content-type': 'application/json', connection: 'close' });
      response.end(JSON.stringify({ error: { message: text() } }));
    });
    server.maxConnections = 256;
    server.requestTimeout = 10_000;
    opened.defer(async () => {
      if (!server.listening) return;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    });
    await listenOn(server, path, mode);
  }
  const open = opened.move();
  return { [Symbol.asyncDispose]: () => open.disposeAsync() };
}
