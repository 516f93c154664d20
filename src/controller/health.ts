/**
 * Health of the two sides we read: since when they fail, what they say, and one log line when that changes, not one
 * per look.
 */
import { span } from '../domain/words.ts';
import type { Clock } from '../lib/clock.ts';
import type { Reading } from './observe.ts';
import type { Recorder } from './record.ts';
import type { ReadingView } from './view.ts';

export interface Health {
  note(reading: Reading<unknown>): void;
  view(): ReadingView;
}

/** @param where what stands still meanwhile: empty for all, `among its hosts ` for one of several clouds */
export function makeHealth(what: string, kind: string, clock: Clock, recorder: Recorder, where = ''): Health {
  let now: ReadingView = { kind, ok: false, lastGoodAt: null, failingSince: null, message: 'not read yet', took: 0 };
  return {
    view: () => now,
    note(reading) {
      const at = clock.now();
      const before = now;
      if (reading.ok) {
        now = { kind, ok: true, lastGoodAt: reading.beganAt, failingSince: null, message: '', took: reading.took };
        if (before.failingSince === null) return;
        recorder.tell('info', null, `${what} answers again after ${span(at - before.failingSince)}`);
        return;
      }
      const failingSince = before.failingSince ?? at;
      now = { ...before, ok: false, failingSince, message: reading.message, took: reading.took };
      if (before.failingSince !== null && before.message === reading.message) return;
      recorder.tell(
        'error',
        null,
        `${what}: ${reading.message}. Nothing is created, drained or deleted ${where}until it answers`,
      );
    },
  };
}
