/**
 * The API: the controller's view as JSON, `{"pools":[...]}` where there are several and the call names none. One app serves both sockets; the public one answers changing calls with 403.
 * Errors are `{"error":{"message":"one line"}}`: 400 not understood, 403 the other socket, 404 no such thing, 409 the
 * controller says no, 503 no answer from the batch system or the cloud.
 */
import { type Context, Hono } from 'hono';
import type { Answer, Control, PlanView } from '../controller/view.ts';
import { sayError } from '../domain/errors.ts';
import { list } from '../domain/words.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { asked, eventsQuery, hostParam, InputError, nameParam, poolQuery, read, released } from './input.ts';
import { isPublic } from './paths.ts';
import { eventsOf, makePools, NoSuchPool, newsOf, type OfPool, type PoolControl, together } from './pools.ts';

/** A request is a few words; more is no request of ours. */
const MAX_BODY = 4096;
/** Requests that may wait for events at one time: each costs a connection, and everybody on the machine may open one. */
const MAX_WAITING = 64;

export interface ApiParts {
  /** The controller, or one for each of several pools. */
  readonly control: Control | readonly PoolControl[];
  /** `read`: what everybody may do; `all`: also what changes something. */
  readonly may: 'read' | 'all';
  /** Aborted when the service stops: open requests for events end then. */
  readonly stop: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
}

export function makeApi({ control, may, stop, clock, log }: ApiParts): Hono {
  const app = new Hono();
  const pools = makePools(control);
  const several = pools.all.length > 1;
  const plans = new Map(pools.all.map((pool) => [pool, oneAtATime(() => pool.control.plan())]));
  const chosen = (c: Context) => pools.chosen(read(poolQuery, c.req.query()).pool);
  const [anyPool] = pools.all;
  if (anyPool === undefined) throw new TypeError('a service without a pool');
  let waiting = 0;

  app.use(async (c, next) => {
    if (may === 'read' && !isPublic(c.req.method, c.req.path)) {
      return fail(c, 403, 'this socket is for reading; changes go to the admin socket beside it');
    }
    return next();
  });

  app.get('/version', (c) => {
    const { version, pid, startedAt } = anyPool.control.status();
    return c.json({ version, pid, startedAt });
  });
  app.get('/status', (c) => show(c, (one) => one.status()));
  app.get('/nodes', (c) => show(c, (one) => one.nodes()));
  app.get('/jobs', (c) => show(c, (one) => one.jobs()));
  app.get('/plan', async (c) => {
    const named = c.req.query('pool') !== undefined;
    const found = await Promise.all(chosen(c).map(planOf));
    const [only] = found;
    if (several && !named) return c.json({ pools: found });
    return only?.view === undefined ? fail(c, 503, only?.error ?? '') : c.json(only.view);
  });
  app.get('/explain/:name', (c) => {
    const { name } = read(nameParam, c.req.param());
    const among = chosen(c);
    for (const one of among) {
      const view = one.control.explain(name);
      if (view !== null) return c.json(view);
    }
    const nobody = `The queue has no job ${name}, and the pool has no host ${name}`;
    return fail(c, 404, among.length > 1 ? `No queue has a job ${name}, and no pool a host ${name}` : nobody);
  });
  app.get('/events', async (c) => {
    const { limit, after, wait } = read(eventsQuery, c.req.query());
    const among = chosen(c);
    const found = eventsOf(among, limit, after);
    if (found.length > 0 || wait === 0 || after === undefined || stop.aborted) return c.json(found);
    if (waiting >= MAX_WAITING) return fail(c, 503, 'too many requests wait for events already');
    waiting++;
    try {
      await news(among, after, wait * 1000, c.req.raw.signal);
    } finally {
      waiting--;
    }
    return c.json(eventsOf(among, limit, after));
  });

  app.post('/poke', (c) => order(c, chosen(c), (one) => one.poke()));
  app.post('/cleanup', async (c) => {
    const { by } = read(asked, await body(c));
    return order(c, chosen(c), (one) => one.cleanup(by));
  });
  app.post('/hold/:host', async (c) => onHost(c, (one, host, by) => one.hold(host, by)));
  app.post('/drain/:host', async (c) => onHost(c, (one, host, by) => one.drain(host, by)));
  app.post('/release', async (c) => {
    const { host, by } = read(released, await body(c));
    const among = chosen(c);
    if (host === null) return order(c, among, (one) => one.release(null, by));
    const owner = pools.withHost(host, among);
    return owner === null ? fail(c, 404, noSuchHost(host, among)) : answer(c, owner.control.release(host, by));
  });

  app.notFound((c) => fail(c, 404, 'the API has no such call'));
  app.onError((error, c) => {
    if (error instanceof InputError) return fail(c, 400, error.message);
    if (error instanceof NoSuchPool) return fail(c, 404, error.message);
    // The path and body stay out of it: what came from outside is not written to the log.
    log.error('An API call failed', { method: c.req.method, error: sayError(error) });
    return fail(c, 500, `the service met a defect of its own: ${sayError(error)}`);
  });
  return app;

  /** One pool's view as it is; of several that nobody chose from, all. */
  function show(c: Context, view: (control: Control) => object): Response {
    const among = chosen(c);
    const [only] = among;
    if (only !== undefined && (!several || c.req.query('pool') !== undefined)) return c.json(view(only.control));
    return c.json({ pools: among.map(({ name, control: one }) => ({ pool: name, view: view(one) })) });
  }

  /** A pool without an answer must not keep the others from theirs. */
  async function planOf(pool: PoolControl): Promise<OfPool<PlanView>> {
    try {
      const view = await plans.get(pool)?.();
      if (view === undefined) throw new TypeError('a pool without a plan');
      return { pool: pool.name, view };
    } catch (error) {
      return { pool: pool.name, error: `No plan, because there is no complete reading: ${sayError(error)}` };
    }
  }

  /** Until an event comes, the time is over, the client has gone or the service stops. */
  async function news(among: readonly PoolControl[], after: number, ms: number, gone: AbortSignal): Promise<void> {
    const enough = new AbortController();
    const until = AbortSignal.any([enough.signal, gone, stop]);
    try {
      await Promise.race([newsOf(among, after, until), clock.sleep(ms, until)]);
    } finally {
      enough.abort();
    }
  }

  function order(c: Context, among: readonly PoolControl[], act: (control: Control) => Answer): Response {
    return answer(c, together(among.map(({ name, control: one }) => ({ pool: name, ...act(one) }))));
  }

  async function onHost(c: Context, act: (one: Control, host: string, by: string) => Answer): Promise<Response> {
    const { host } = read(hostParam, c.req.param());
    const { by } = read(asked, await body(c));
    const among = chosen(c);
    const owner = pools.withHost(host, among);
    return owner === null ? fail(c, 404, noSuchHost(host, among)) : answer(c, act(owner.control, host, by));
  }
}

function noSuchHost(host: string, among: readonly PoolControl[]): string {
  const hosts = among.flatMap(({ control }) => control.nodes().map((node) => node.host));
  const where = among.length > 1 ? 'any pool; their' : 'this pool; its';
  return `${host} is no host of ${where} hosts are ${list(hosts)}`;
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
