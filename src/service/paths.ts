/**
 * Where the service listens. Two sockets, because Node cannot ask a Unix socket who is at its other end: whoever may
 * open the file may use what it offers, so the permission of the file is the permission of the command.
 */

export const DEFAULT_SOCKET = '/run/hybrid-cloud/api.sock';

/** The socket for changing commands, beside the one for reading: `api.sock` -> `api-admin.sock`. */
export function adminSocket(socket: string): string {
  return socket.endsWith('.sock') ? `${socket.slice(0, -'.sock'.length)}-admin.sock` : `${socket}-admin`;
}

/** Is this call offered to everybody? Looking now changes nothing but when we look, and a user's submit hook does it. */
export function isPublic(method: string, path: string): boolean {
  return method === 'GET' || (method === 'POST' && path === '/poke');
}

/** HTTP status (Misdirected Request) of one that stands by: the answer is to be had from the one at work. */
export const ELSEWHERE = 421;
