/**
 * The API: the controller's view as JSON. One app serves both sockets; the public one answers changing calls with 403.
 * Errors are `{"error":{"message":"one line"}}`: 400 not understood, 403 the other socket, 404 no such thing, 409 the
 * controller says no, 503 no answer from the batch system or the cloud.
 */
import { type Context, Hono } from 'hono';
import type { Answer, Control, PlanView } from '../controller/view.ts';
import { sayError } from '../domain/errors.ts';
import { list } from '../domain/words.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { asked, eventsQuery, hostParam, InputError, nameParam, read, released } from './input.ts';
import { isPublic } from './paths.ts';

/** A request is a few words; more is no request of ours. */
const MAX_BODY = 4096;
/** Requests that may wait for events at one time: each costs a connection, and everybody on the machine may open one. */
const MAX_WAITING = 64;

export interface ApiParts {
  readonly control: Control;
  /** `read`: what everybody may do; `all`: also what changes something. */
  readonly may: 'read' | 'all';
  /** Aborted when the service stops: open requests for events end then. */
  readonly stop: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
}

export function makeApi({ control, may, stop, clock, log }: ApiParts): Hono {
  const app = new Hono();
  const plan = oneAtATime(() => control.plan());
  let waiting = 0;

  app.use(async (c, next) => {
    if (may === 'read' && !isPublic(c.req.method, c.req.path)) {
      return fail(c, 403, 'this socket is for reading; changes go to the admin socket beside it');
    }
    return next();
  });

  app.get('/version', (c) => {
    const { version, pid, startedAt } = control.status();
    return c.json({ version, pid, startedAt });
  });
  app.get('/status', (c) => c.json(control.status()));
  app.get('/nodes', (c) => c.json(control.nodes()));
  app.get('/jobs', (c) => c.json(control.jobs()));
  app.get('/plan', async (c) => {
    try {
      return c.json(await plan());
    } catch (error) {
      return fail(c, 503, `No plan, because there is no complete reading: ${sayError(error)}`);
    }
  });
  app.get('/explain/:name', (c) => {
    const { name } = read(nameParam, c.req.param());
    const view = control.explain(name);
    return view === null
      ? fail(c, 404, `The queue has no job ${name}, and the pool has no host ${name}`)
      : c.json(view);
  });
  app.get('/events', async (c) => {
    const { limit, after, wait } = read(eventsQuery, c.req.query());
    const found = control.events(limit, after);
    if (found.length > 0 || wait === 0 || after === undefined || stop.aborted) return c.json(found);
    if (waiting >= MAX_WAITING) return fail(c, 503, 'too many requests wait for events already');
    waiting++;
    try {
      await news(after, wait * 1000, c.req.raw.signal);
    } finally {
      waiting--;
    }
    return c.json(control.events(limit, after));
  });

  app.post('/poke', (c) => answer(c, control.poke()));
  app.post('/cleanup', async (c) => answer(c, control.cleanup(read(asked, await body(c)).by)));
  app.post('/hold/:host', async (c) => onHost(c, (host, by) => control.hold(host, by)));
  app.post('/drain/:host', async (c) => onHost(c, (host, by) => control.drain(host, by)));
  app.post('/release', async (c) => {
    const { host, by } = read(released, await body(c));
    if (host !== null && !isHost(host)) return fail(c, 404, noSuchHost(host));
    return answer(c, control.release(host, by));
  });

  app.notFound((c) => fail(c, 404, 'the API has no such call'));
  app.onError((error, c) => {
    if (error instanceof InputError) return fail(c, 400, error.message);
    // The path and body stay out of it: what came from outside is not written to the log.
    log.error('An API call failed', { method: c.req.method, error: sayError(error) });
    return fail(c, 500, `the service met a defect of its own: ${sayError(error)}`);
  });
  return app;

  /** Until an event comes, the time is over, the client has gone or the service stops. */
  async function news(after: number, ms: number, gone: AbortSignal): Promise<void> {
    const enough = new AbortController();
    const until = AbortSignal.any([enough.signal, gone, stop]);
    try {
      await Promise.race([control.waitForEvent(after, until), clock.sleep(ms, until)]);
    } finally {
      enough.abort();
    }
  }

  async function onHost(c: Context, act: (host: string, by: string) => Answer): Promise<Response> {
    const { host } = read(hostParam, c.req.param());
    const { by } = read(asked, await body(c));
    return isHost(host) ? answer(c, act(host, by)) : fail(c, 404, noSuchHost(host));
  }

  function isHost(host: string): boolean {
    return control.nodes().some((node) => node.host === host);
  }

  function noSuchHost(host: string): string {
    return `${host} is no host of this pool; its hosts are ${list(control.nodes().map((node) => node.host))}`;
  }
}

function fail(c: Context, status: 400 | 403 | 404 | 409 | 500 | 503, message: string): Response {
  return c.json({ error: { message } }, status);
}

function answer(c: Context, result: Answer): Response {
  return result.ok ? c.json(result) : fail(c, 409, result.text);
}

/** The request's JSON; no body counts as `{}`. @throws InputError */
async function body(c: Context): Promise<unknown> {
  const text = await bounded(c.req.raw.body);
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    throw new InputError('the body is not JSON');
  }
}

/** Reads while it comes and stops at the limit: a length in a header is only what the caller says. */
async function bounded(stream: AsyncIterable<Uint8Array> | null): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of stream ?? []) {
    size += part.length;
    if (size > MAX_BODY) throw new InputError(`a request has at most ${MAX_BODY} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** Everybody may ask for a plan, and each one costs calls to the scheduler: those who ask meanwhile share the answer. */
function oneAtATime(look: () => Promise<PlanView>): () => Promise<PlanView> {
  let running: Promise<PlanView> | null = null;
  return () => {
    running ??= look().finally(() => {
      running = null;
    });
    return running;
  };
}
