/**
 * Record: every move of a host goes to the journal, to the events and to the log with one sentence, here and only here.
 */
import type { HostRecord } from '../domain/host.ts';
import type { HostState } from '../domain/lifecycle.ts';
import type { CreationBrake } from '../domain/snapshot.ts';
import { span } from '../domain/words.ts';
import type { Clock } from '../lib/clock.ts';
import type { Facts, Log } from '../lib/log.ts';
import { afterBootFailure, afterGone, afterReady } from '../planner/brake.ts';
import type { EventLevel, HostChanges, Store } from '../store/store.ts';

export interface Recorder {
  /** Journal, event, log, in that order: what is not on disk was not decided. */
  move(host: string, to: HostState, because: string, changes?: HostChanges & { failed?: boolean }): HostRecord;
  /** Something worth knowing that is no move. */
  tell(level: EventLevel, subject: string | null, text: string, facts?: Facts): void;
  /** The same, for trouble that may come back at every look: the same text again only after ten minutes. */
  complain(level: EventLevel, subject: string | null, text: string): void;
  /** @param cloud as the brake is kept: '' where the pool has only one */
  brake(cloud: string, change: (brake: CreationBrake) => CreationBrake): void;
}

export interface RecorderParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly onEvent: () => void;
  /** Under which name the brake of a host's cloud is kept. */
  readonly brakeOf: (host: HostRecord) => string;
}

export function makeRecorder({ store, clock, log, onEvent, brakeOf }: RecorderParts): Recorder {
  const tell = (level: EventLevel, subject: string | null, text: string, facts: Facts = {}) => {
    store.event(level, subject, text, clock.now());
    log[level](text, facts);
    onEvent();
  };
  const brake = (cloud: string, change: (brake: CreationBrake) => CreationBrake) => {
    const before = store.brake(cloud);
    const after = change(before);
    if (after === before) return;
    store.setBrake(after, cloud);
    const where = cloud === '' ? '' : ` in ${cloud}`;
    // A cloud that throttles is asked again every second or two: told when it begins and when it ends.
    const again = after.kind === before.kind && (after.kind === 'throttled' || after.until === before.until);
    if (after.kind !== null && !again) {
      const wait = after.until === null ? 'until something changes' : `for ${span(after.until - clock.now())}`;
      tell('warn', null, `creation of nodes${where} is paused ${wait} (${after.kind}): ${after.message}`);
    } else if (after.kind === null && before.kind !== null) tell('info', null, `creation of nodes${where} goes on`);
  };

  const said = new Map<string, number>();
  return {
    tell,
    brake,
    complain(level, subject, text) {
      const at = clock.now();
      for (const [old, when] of said) if (at - when >= SAY_AGAIN) said.delete(old);
      if (said.has(text)) return;
      said.set(text, at);
      tell(level, subject, text);
    },
    move(host, to, because, { failed = false, ...changes } = {}) {
      const at = clock.now();
      const before = store.host(host);
      const failures = failed ? (before?.failures ?? 0) + 1 : to === 'ready' ? 0 : (before?.failures ?? 0);
      const after = store.move(host, to, because, at, { ...endOfLife(to), ...clocksOf(to), failures, ...changes });
      const text = `${host}: ${before?.state} -> ${to}: ${because}`;
      tell(failed ? 'warn' : 'info', host, text, {
        host,
        ...(after.lease === null ? {} : { lease: after.lease }),
        ...(after.machineId === null ? {} : { machine: after.machineId }),
      });
      const cloud = brakeOf(after);
      if (failed) brake(cloud, (now) => afterBootFailure(now, `${host}: ${because}`, at));
      if (to === 'ready' && before?.state === 'joining') brake(cloud, afterReady);
      if (to === 'cooling' && before?.state === 'stopping') brake(cloud, afterGone);
      return after;
    },
  };
}

/** ms */
const SAY_AGAIN = 600_000;

/** A host without a machine keeps nothing of its last life. */
function endOfLife(to: HostState): HostChanges {
  if (to !== 'cooling' && to !== 'free') return {};
  return { lease: null, machineId: null, bornAt: null, drainedBy: null };
}

/** The clocks belong to one stay in one state. */
function clocksOf(to: HostState): HostChanges {
  return { idleSince: null, missingSince: null, ...(to === 'quarantined' ? {} : { retryAt: null }) };
}
