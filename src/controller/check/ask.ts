/**
 * Asking one part of the service something, within a time limit, with a failure as an answer: what `check` is made of.
 */
import { PortError } from '../../domain/errors.ts';
import { span } from '../../domain/words.ts';
import type { Clock } from '../../lib/clock.ts';
import { oneLine } from '../../lib/log.ts';

export interface CheckLine {
  /** The part: `configuration`, `hosts`, `batch system`, `queue`, `state`, `cloud`, `bootstrap`. */
  readonly what: string;
  readonly ok: 'ok' | 'wrong' | 'note';
  readonly text: string;
  /** What to do; empty when nothing is. */
  readonly hint: string;
}

export interface AskTools {
  readonly clock: Clock;
  /** ms for each question; default 30 s. */
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

export type Answer<T> = { value: T } | { line: CheckLine };
export type Ask = <T>(what: string, call: (signal: AbortSignal) => Promise<T>) => Promise<Answer<T>>;

/** Calls a part within the time limit, also a part that does not listen to its signal. */
export function asker(tools: AskTools): Ask {
  const limit = tools.limit ?? 30_000;
  return async (what, call) => {
    const stop = new AbortController();
    const done = new AbortController();
    const signal = tools.signal === undefined ? stop.signal : AbortSignal.any([stop.signal, tools.signal]);
    const aborted = new Promise<'stopped'>((resolve) => {
      const tell = () => resolve('stopped');
      if (tools.signal?.aborted) tell();
      tools.signal?.addEventListener('abort', tell, { once: true, signal: done.signal });
    });
    const late = tools.clock.sleep(limit, done.signal).then(() => 'late' as const);
    // The failure is turned into an answer at once, so that a part that fails after its time is up disturbs nobody.
    const answer = Promise.resolve()
      .then(() => call(signal))
      .then((value) => ({ value }))
      .catch((error: unknown) => ({ line: sayFailure(what, error) }));
    const first = await Promise.race([answer, late, aborted]);
    if (typeof first === 'string') stop.abort();
    done.abort();
    if (first === 'late')
      return { line: wrong(what, `gave no answer within ${span(limit)}`, 'is it running and reachable?') };
    if (first === 'stopped') return { line: wrong(what, 'was not checked to the end: stopped', '') };
    return first;
  };
}

function sayFailure(what: string, error: unknown): CheckLine {
  const text = error instanceof Error ? error.message : String(error);
  return wrong(what, text, error instanceof PortError ? error.hint : '');
}

export function ok(what: string, text: string): CheckLine {
  return { what, ok: 'ok', text: oneLine(text), hint: '' };
}

export function wrong(what: string, text: string, hint: string): CheckLine {
  return { what, ok: 'wrong', text: oneLine(text), hint };
}

export function note(what: string, text: string, hint: string): CheckLine {
  return { what, ok: 'note', text: oneLine(text), hint };
}
