/**
 * Talk: one long-lived Python process behind requests with an id and a time limit. It is started when it is first
 * needed, and again after it died, with a growing pause when it dies at once.
 */
import { z } from 'zod';
import { CloudError } from '../../domain/errors.ts';
import { span } from '../../domain/words.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { Conversation, Converse, RunResult } from '../../lib/run.ts';
import { readTrouble, Trouble } from './troubles.ts';

export interface TalkParts {
  readonly converse: Converse;
  readonly clock: Clock;
  readonly log: Log;
  readonly command: readonly string[];
  /** The first request: brings the token, so it goes over standard input and nowhere else. */
  readonly open: Readonly<Record<string, unknown>>;
  /** ms for one request. */
  readonly limit: number;
  /** Takes secrets out of everything that is told. */
  readonly clean: (text: string) => string;
  readonly startFailure: (result: RunResult) => CloudError;
}

export interface Ask {
  /** It changes something: without an answer it may have happened, and the error is `ambiguous`. */
  readonly change: boolean;
  readonly signal: AbortSignal | undefined;
}

export interface Talk {
  /** @throws CloudError; NotOurTurn when the controller wants it later */
  ask(op: string, request: Readonly<Record<string, unknown>>, how: Ask): Promise<unknown>;
  /** Ends the process. */
  close(): Promise<void>;
}

/** The image may have to be pulled first. ms */
const START_LIMIT = 300_000;
/** A token that was refused is not shown again at every look, ms: controllers lock out who insists. */
const AUTH_PAUSE = 30_000;
const LONGEST_PAUSE = 60_000;
const PROTOCOL = 1;

const Hello = z.object({ hello: z.object({ protocol: z.number(), python: z.string() }) });
const Answer = z.object({ id: z.number(), ok: z.unknown().optional(), error: Trouble.optional() });
type Answer = z.infer<typeof Answer>;

interface Process {
  readonly talk: Conversation;
  readonly hello: Promise<void>;
  readonly waiting: Map<number, (answer: Answer) => void>;
  /** Set when it has ended. */
  ended: RunResult | null;
  opened: Promise<void> | null;
  /** It has answered a request: the next death is not counted with the ones before. */
  proven: boolean;
}

export function makeTalk(parts: TalkParts): Talk {
  const { clock, log, clean } = parts;
  let process: Process | null = null;
  let ids = 0;
  let deaths = 0;
  let notBefore = 0;
  let lastDeath: CloudError | null = null;
  let refused: { readonly error: CloudError; readonly until: number } | null = null;

  function start(): Process {
    const wait = notBefore - clock.monotonic();
    if (wait > 0 && lastDeath !== null) {
      const { kind, message, hint, facts } = lastDeath;
      throw new CloudError(kind, `${message}; tried again in ${span(Math.max(1000, wait))}`, {
        hint,
        facts: { ...facts },
      });
    }
    let greet: (error: CloudError | null) => void = () => {};
    const hello = new Promise<void>((resolve, reject) => {
      greet = (error) => (error === null ? resolve() : reject(error));
    });
    hello.catch(() => {});
    const waiting: Process['waiting'] = new Map();
    const talk = parts.converse(parts.command, {
      onLine: (line) => {
        const message = parse(clean(line));
        const greeting = Hello.safeParse(message);
        if (greeting.success) return greet(greeting.data.hello.protocol === PROTOCOL ? null : otherProtocol());
        const answer = Answer.safeParse(message);
        if (answer.success) waiting.get(answer.data.id)?.(answer.data);
        else log.debug(`vcp: not understood: ${clean(line).slice(0, 200)}`);
      },
      onErrorLine: (line) => line.trim() !== '' && log.debug(`vcp: ${clean(line)}`),
    });
    const one: Process = { talk, hello, waiting, ended: null, opened: null, proven: false };
    void talk.closed.then((result) => {
      one.ended = result;
      if (process === one) process = null;
      lastDeath = deathOf(result);
      greet(lastDeath);
      died(one);
      for (const tell of [...waiting.values()]) tell({ id: -1 });
    });
    return one;
  }

  function deathOf(result: RunResult): CloudError {
    return parts.startFailure({ ...result, stderr: clean(result.stderr) });
  }

  function died(one: Process): void {
    deaths = one.proven ? 1 : deaths + 1;
    // The first death is mended at once; one that repeats is not helped by haste.
    notBefore = clock.monotonic() + (deaths <= 1 ? 0 : Math.min(LONGEST_PAUSE, 1000 * 2 ** (deaths - 1)));
  }

  /** The process, with the token given and accepted by the controller. */
  async function ready(signal: AbortSignal | undefined): Promise<Process> {
    if (refused !== null && clock.monotonic() < refused.until) throw refused.error;
    process ??= start();
    const one = process;
    await limited(one, one.hello, START_LIMIT, signal, 'start');
    one.opened ??= request(one, 'open', parts.open, { change: false, signal: undefined }).then(
      () => {
        refused = null;
      },
      (error: CloudError) => {
        one.opened = null;
        if (error.kind === 'auth') refused = { error, until: clock.monotonic() + AUTH_PAUSE };
        throw error;
      },
    );
    one.opened.catch(() => {});
    await limited(one, one.opened, parts.limit, signal, 'open');
    return one;
  }

  /** Waits for something that has a time limit of its own only with the process: a hanging one is ended. */
  async function limited(
    one: Process,
    work: Promise<void>,
    limit: number,
    signal: AbortSignal | undefined,
    what: string,
  ): Promise<void> {
    const done = new AbortController();
    const ticket = signal === undefined ? done.signal : AbortSignal.any([done.signal, signal]);
    const late = clock.sleep(limit, ticket).then(() => 'late' as const);
    try {
      if ((await Promise.race([work, late])) !== 'late') return;
    } finally {
      done.abort();
    }
    if (signal?.aborted) throw new CloudError('temporary', `${what} was stopped`);
    one.talk.end(0);
    throw new CloudError('temporary', `the VCP SDK did not ${what} within ${span(limit)}`);
  }

  async function request(one: Process, op: string, asked: object, how: Ask): Promise<unknown> {
    const unsure = how.change ? 'ambiguous' : 'temporary';
    if (how.signal?.aborted) throw new CloudError('temporary', `${op} was not asked: we were told to stop`);
    if (one.ended !== null) throw deathOf(one.ended);
    const id = ++ids;
    const done = new AbortController();
    const stop = how.signal === undefined ? done.signal : AbortSignal.any([done.signal, how.signal]);
    try {
      const answered = new Promise<Answer>((resolve) => one.waiting.set(id, resolve));
      one.talk.send(JSON.stringify({ id, op, ...asked }));
      const answer = await Promise.race([answered, clock.sleep(parts.limit, stop).then(() => null)]);
      if (answer === null) {
        if (how.signal?.aborted) throw new CloudError(unsure, `${op} was stopped`);
        one.talk.end(0);
        throw new CloudError(unsure, `${op}: no answer from the VCP SDK within ${span(parts.limit)}`);
      }
      if (answer.id === -1) throw new CloudError(unsure, `${op}: the VCP SDK's process ended before it answered`);
      one.proven = true;
      if (answer.error !== undefined) throw readTrouble(answer.error, how.change);
      return answer.ok;
    } finally {
      one.waiting.delete(id);
      done.abort();
    }
  }

  return {
    async ask(op, asked, how) {
      if (how.signal?.aborted) throw new CloudError('temporary', `${op} was not asked: we were told to stop`);
      return request(await ready(how.signal), op, asked, how);
    },
    async close() {
      const one = process;
      process = null;
      if (one === null || one.ended !== null) return;
      one.talk.end(1000);
      await one.talk.closed;
    },
  };
}

function otherProtocol(): CloudError {
  return new CloudError('config', "the SDK's side speaks another version than this service", {
    hint: 'use helpers/vcp of this installation',
  });
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
