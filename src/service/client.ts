/**
 * The other end of the API, for the command line. Loads nothing but Node's own http: `poke` runs in a submit hook and
 * must be quick.
 */
import { request } from 'node:http';
import { type Clock, systemClock } from '../lib/clock.ts';
import { adminSocket, isPublic } from './paths.ts';

/** A plan reads the scheduler and the cloud anew, and each of them may take its whole time limit. */
const LIMIT_MS = 120_000;

/**
 * - `down` nobody answers at the socket
 * - `forbidden` the socket may not be opened by this user
 * - `late` no answer within the limit
 * - `broken` the connection broke, or the answer is none of ours
 * - `refused` the service answered with an error; `status` is its HTTP status
 */
export type ApiErrorKind = 'down' | 'forbidden' | 'late' | 'broken' | 'refused';

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly kind: ApiErrorKind;
  readonly status: number;
  constructor(kind: ApiErrorKind, message: string, status = 0) {
    super(message);
    this.kind = kind;
    this.status = status;
  }
}

export interface CallOptions {
  /** Milliseconds until the call is given up. */
  readonly limit?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface ApiClient {
  /** @throws ApiError */
  get<T>(path: string, options?: CallOptions): Promise<T>;
  /** Changing calls go to the admin socket. @throws ApiError */
  post<T>(path: string, body?: unknown, options?: CallOptions): Promise<T>;
}

/** @param socketPath the public socket; the admin socket is looked for beside it */
export function apiClient(socketPath: string, clock: Clock = systemClock): ApiClient {
  async function call<T>(method: string, path: string, body: unknown, options: CallOptions = {}): Promise<T> {
    const socket = isPublic(method, path) ? socketPath : adminSocket(socketPath);
    const limit = options.limit ?? LIMIT_MS;
    const late = new AbortController();
    const done = new AbortController();
    const signal = AbortSignal.any(options.signal ? [late.signal, options.signal] : [late.signal]);
    void clock.sleep(limit, done.signal).then(() => late.abort());
    try {
      const { status, text } = await exchange(socket, method, path, body, signal);
      return read<T>(status, text);
    } catch (error) {
      if (error instanceof ApiError) throw error;
      if (late.signal.aborted) {
        throw new ApiError('late', `The service gave no answer within ${Math.round(limit / 1000)} s at ${socket}`);
      }
      throw translate(error, socketPath, socket !== socketPath);
    } finally {
      done.abort();
    }
  }
  return {
    get: (path, options) => call('GET', path, undefined, options),
    post: (path, body, options) => call('POST', path, body ?? {}, options),
  };
}

/** One request, one connection. Rejects with Node's error. */
function exchange(
  socketPath: string,
  method: string,
  path: string,
  body: unknown,
  signal: AbortSignal,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const payload = body === undefined ? '' : JSON.stringify(body);
    const headers =
      payload === '' ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) };
    const call = request({ socketPath, method, path, headers, agent: false, signal }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    call.on('error', reject);
    call.end(payload);
  });
}

function read<T>(status: number, text: string): T {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new ApiError('broken', `What answers is not hybrid-cloud, or of another version (HTTP ${status})`, status);
  }
  if (status >= 200 && status < 300) return answer as T;
  const message = (answer as { error?: { message?: unknown } } | null)?.error?.message;
  throw new ApiError('refused', typeof message === 'string' ? message : `refused (HTTP ${status})`, status);
}

function translate(error: unknown, socketPath: string, admin: boolean): ApiError {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ECONNREFUSED') {
    return new ApiError(
      'down',
      `The service does not answer at ${socketPath}: is it running? (systemctl status hybrid-cloud)`,
    );
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new ApiError(
      'forbidden',
      admin
        ? `only root or the service's user may do this (sudo hybrid-cloud …)`
        : `${socketPath} may not be opened by this user`,
    );
  }
  return new ApiError('broken', `The connection to the service broke: ${message}`);
}
