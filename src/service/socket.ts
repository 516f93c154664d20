/**
 * Listening on a Unix socket so that a crash leaves nothing in the way, a living service is never pushed aside, and
 * the file never has, not even for a moment, more permissions than it should.
 */
import { chmodSync, lchownSync, lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';

/** What the kernel's sun_path holds, less the closing zero. */
const LONGEST_PATH = 107;

/**
 * Makes `server` listen on `path`. The folder is made (0755) when missing; a socket file nobody listens on is removed.
 * @param mode of the socket file: 0o666 or 0o600
 * @returns when the server listens
 * @throws Error in one line: somebody listens there already, something else stands there, no permission...
 */
export async function listenOn(server: Server, path: string, mode: number): Promise<void> {
  if (Buffer.byteLength(path) > LONGEST_PATH) {
    throw new Error(`The socket path ${path} is longer than ${LONGEST_PATH} bytes; choose a shorter API_SOCKET`);
  }
  const folder = dirname(path);
  if (mkdirSync(folder, { recursive: true }) !== undefined) chmodSync(folder, 0o755);
  await clearStale(path);

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // bind() happens inside listen(), before it returns: with this umask the file is born with the right mode. A chmod
    // afterwards alone would leave the admin socket open to everybody for a moment.
    const umask = process.umask(0o777 & ~mode);
    try {
      server.listen(path, () => {
        server.off('error', reject);
        resolve();
      });
    } finally {
      process.umask(umask);
    }
  });
  // A default ACL of the folder overrides the umask.
  chmodSync(path, mode);
}

/**
 * Lets the members of a group use the socket. The group first: never is it open to another one.
 * @throws Error in one line when the service may not give it away
 */
export function giveTo(path: string, group: number): void {
  try {
    lchownSync(path, -1, group);
    chmodSync(path, 0o660);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `The socket cannot be given to API_GROUP (${why}): the service must be a member of it and let give files to it (under systemd: operators.conf.example)`,
      { cause: error },
    );
  }
}

/** Does somebody answer there? `no` also when there is nothing at all. */
export function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    const end = (alive: boolean) => {
      socket.destroy();
      resolve(alive);
    };
    socket.once('connect', () => end(true));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') end(false);
      // EAGAIN: its queue of connections is full.
      else if (error.code === 'EAGAIN') end(true);
      else reject(error);
    });
  });
}

async function clearStale(path: string): Promise<void> {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there === undefined) return;
  if (!there.isSocket())
    throw new Error(`${path} is there and is no socket; move it away or choose another API_SOCKET`);
  if (await isAlive(path)) throw new AliveError(path);
  unlinkSync(path);
}

/** Another process listens on this socket. */
export class AliveError extends Error {
  override readonly name = 'AliveError';
  readonly path: string;
  constructor(path: string) {
    super(`Another service answers at ${path}`);
    this.path = path;
  }
}
