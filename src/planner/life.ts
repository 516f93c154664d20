/**
 * Life: what each host's own state asks for next, whatever the queue wants. One rule per state of the drawing in
 * domain/lifecycle.ts, each with its own deadline, since they fail for different reasons.
 *
 * Two promises stand above all rules here: a host with a job on it is never deleted, and a held host is never drained
 * or deleted.
 */
import type { HostState } from '../domain/lifecycle.ts';
import type { Step, StepKind } from '../domain/plan.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { span } from '../domain/words.ts';
import { bootDeadline } from './boot.ts';
import { QUARANTINE_AT, quarantineFor } from './brake.ts';
import { lost, MISSING_GRACE, registered, type View, working } from './view.ts';

type Rule = (s: Snapshot, view: View) => Step | null;

/** The step this host's life asks for now, or null: all is as it should be, or something is still under way. */
export function life(s: Snapshot, view: View): Step | null {
  if (view.underWay || view.silent) return null;
  return (view.record.state in ADOPTING ? adopt(s, view) : null) ?? RULES[view.record.state](s, view);
}

/** A machine that is not ours was seen under the host's name or address: left alone for so long after that; ms. */
const STRANGER_PAUSE = 5 * 60_000;

const ADOPTING: Readonly<Partial<Record<HostState, true>>> = { free: true, cooling: true, quarantined: true };

const RULES: Readonly<Record<HostState, Rule>> = {
  free: (s, v) =>
    v.stranger
      ? {
          ...step(
            'quarantine',
            v,
            'quarantined',
            `its name or address is used by machine ${v.stranger.id}, which is not ours`,
          ),
          until: s.at + STRANGER_PAUSE,
        }
      : null,

  starting(s, v) {
    const { machine, record } = v;
    const deadline = bootDeadline(record, machine, s.pool);
    if (machine === undefined) {
      if (s.at > deadline) {
        const because = `no machine appeared within ${span(deadline - record.since)}`;
        if (s.cloudReadAt <= record.since) return null;
        // The cloud has given us its id: a list can be wrong, deleting by id makes sure.
        if (record.machineId !== null) return remove(s, v, because);
        const gone = step('settle', v, 'cooling', because);
        // What waited for its turn in a service that has ended was perhaps never asked for: that is no failed boot.
        return s.completeReads < 2 ? gone : failed(gone);
      }
      // The answer was lost, or the service died before it asked: the same lease again makes the same machine.
      return due(s, v)
        ? step('create', v, null, 'asked for, not seen in the cloud yet: asking again with the same lease')
        : null;
    }
    if (machine.state === 'failed') return remove(s, v, `its machine failed to start${say(machine.message)}`);
    if (machine.state === 'stopping') return remove(s, v, 'its machine is being taken away while it starts');
    if (machine.state === 'running')
      return step('prepare', v, 'preparing', `its machine runs after ${span(s.at - (record.bornAt ?? record.since))}`);
    return late(s, v, deadline - record.since, 'its machine does not run');
  },

  preparing(s, v) {
    const gone = vanished(s, v);
    if (gone !== null) return gone;
    if (s.at - v.record.since > s.pool.timing.prepare)
      return late(s, v, s.pool.timing.prepare, 'it could not be prepared');
    return due(s, v) ? step('prepare', v, null, 'preparing was interrupted') : null;
  },

  joining(s, v) {
    const gone = vanished(s, v);
    if (gone !== null) return gone;
    const { node } = v;
    if (node !== undefined && registered(v)) {
      if (node.closed === 'no' && (node.state === 'idle' || node.state === 'busy'))
        return step('settle', v, 'ready', 'the batch system gives it jobs');
      if (node.closed !== 'theirs') return step('join', v, null, 'its daemon has registered');
    }
    const what =
      node?.closed === 'theirs'
        ? `it is closed by somebody else (${node.reason})`
        : 'its daemon did not register with the batch system';
    return late(s, v, s.pool.timing.join, what);
  },

  ready(s, v) {
    const { node, machine } = v;
    if (lost(v)) return vanished(s, v);
    if (node?.closed === 'theirs') return null;
    if (machine?.state === 'failed' || machine?.state === 'stopping') {
      return allowed(s, v)
        ? step('drain', v, 'draining', `its machine is ${machine.state} in the cloud${say(machine.message)}`)
        : null;
    }
    return node?.closed === 'ours' && node.responding ? step('join', v, null, 'our mark was left behind on it') : null;
  },

  draining(s, v) {
    const { node, record, machine } = v;
    if (record.held) return step('undrain', v, 'ready', 'it is held');
    if (machine === undefined) return vanished(s, v);
    // One answer without it may be a mistake, and a job may run on it: it must stay unknown for as long as a ready one.
    if (node?.state === 'absent') return unknownFor(s, v, s.pool.timing.join);
    if (node === undefined) return null;
    // Who closed a node that cannot be read just now is not known either.
    if (node.state === 'unknown') return null;
    if (node.closed === 'theirs')
      return step('settle', v, 'ready', `somebody else closed it (${node.reason}): left alone`);
    if (node.closed === 'no') return allowed(s, v) ? step('drain', v, null, record.reason) : null;
    if (node.hasJob) {
      const leaving = record.drainedBy === 'operator' || machine.state !== 'running';
      return leaving ? null : step('undrain', v, 'ready', `a job slipped in${say(node.jobs.join(' '))}`);
    }
    if (silentJustNow(s, v)) return null;
    // Closed by us, no job, and read after it was closed: nothing can start on it any more.
    return s.batchReadAt > record.since && s.completeReads >= 2
      ? step('delete', v, 'stopping', `drained, no job: ${record.reason}`)
      : null;
  },

  stopping(s, v) {
    const { machine, record } = v;
    if (machine === undefined) {
      if (s.cloudReadAt <= record.since) return null;
      return isGone(s, v) ? step('settle', v, 'cooling', 'its machine is gone') : askAgain(s, v);
    }
    if (machine.state === 'stopping' || !due(s, v) || !allowed(s, v)) return null;
    return s.completeReads >= 2 ? step('delete', v, null, record.reason) : null;
  },

  cooling(s, v) {
    if (s.cloudReadAt <= v.record.since) return null;
    if (v.stranger)
      return {
        ...step('quarantine', v, 'quarantined', `its name or address is used by machine ${v.stranger.id}`),
        until: s.at + STRANGER_PAUSE,
      };
    if (v.record.failures >= QUARANTINE_AT) {
      const pause = quarantineFor(v.record.failures);
      return {
        ...step(
          'quarantine',
          v,
          'quarantined',
          `failed ${v.record.failures} times in a row: left alone for ${span(pause)}`,
        ),
        until: s.at + pause,
      };
    }
    return step('settle', v, 'free', 'no machine uses its name and address any more');
  },

  quarantined(s, v) {
    const left = (v.record.retryAt ?? 0) - s.at;
    // As long as it is seen the pause never runs out: one list that lacks it, when it would, says nothing.
    if (v.stranger && left < STRANGER_PAUSE / 2)
      return {
        ...step(
          'quarantine',
          v,
          null,
          `its name or address is still used by machine ${v.stranger.id}, which is not ours`,
        ),
        until: s.at + STRANGER_PAUSE,
      };
    if (v.stranger || left > 0) return null;
    return step('settle', v, 'free', 'its pause is over');
  },
};

/** Its machine is in the cloud although we have none in our records: an old one comes to light, and is taken over. */
function adopt(s: Snapshot, v: View): Step | null {
  const { machine, node, record } = v;
  if (machine === undefined || s.cloudReadAt <= record.since) return null;
  const atWork = node?.responding === true && machine.state === 'running';
  if (atWork && node.closed === 'no' && (node.state === 'idle' || node.state === 'busy')) {
    return step('settle', v, 'ready', `found at work with machine ${machine.id}`);
  }
  if (atWork && node.hasJob) return step('settle', v, 'draining', `found with a job and machine ${machine.id}`);
  if (record.state === 'free' && machine.state !== 'failed' && machine.state !== 'stopping') {
    const to = machine.state === 'running' ? 'preparing' : 'starting';
    return step('settle', v, to, `found its machine ${machine.id} in the cloud`);
  }
  if (s.completeReads < 2 || working(v)) return null;
  return step(
    'delete',
    v,
    'stopping',
    record.state === 'free'
      ? `found its machine ${machine.id}, ${machine.state}`
      : `its machine ${machine.id} came back`,
  );
}

/** We count on a machine that the cloud does not list, or a node that the batch system has lost. */
function vanished(s: Snapshot, v: View): Step | null {
  const { machine, node, record } = v;
  if (machine?.state === 'failed') return remove(s, v, `its machine failed${say(machine.message)}`);
  if (!lost(v) || record.missingSince === null) return null;
  const gone = s.at - record.missingSince;
  if (machine === undefined) {
    if (gone < MISSING_GRACE || (working(v) && node?.responding === true)) return null;
    // Deleting by id what seems gone makes sure of it: a list can be wrong, a forgotten machine costs money.
    const because = `the cloud has not listed its machine for ${span(gone)}`;
    if (record.state === 'ready' && node?.responding === true)
      return allowed(s, v) ? step('drain', v, 'draining', because) : null;
    return remove(s, v, because);
  }
  if (gone < s.pool.timing.join) return null;
  return remove(s, v, `the batch system has not reached it for ${span(gone)}`);
}

/**
 * A scheduler that has just started again hears its nodes one after another: a node that jobs may want back is not deleted
 * because it could not be opened again in just that moment.
 */
function silentJustNow(s: Snapshot, { node, record }: View): boolean {
  if (node?.responding !== false || record.drainedBy === 'operator') return false;
  const since = s.unanswered?.get(record.name) ?? s.at;
  return s.at - since < MISSING_GRACE && s.jobs.some((job) => job.state === 'waiting' && job.helped !== 'no');
}

/**
 * Not listed, but is it gone? A list can lag behind or have a hole. It is when the cloud has accepted its deletion; one
 * that was only asked for, and of which no id is known, when a list would have shown it by now.
 */
function isGone(s: Snapshot, v: View): boolean {
  const { record } = v;
  if (s.accepted === undefined || s.accepted.has(record.name)) return true;
  return record.machineId === null && s.at - Math.max(record.since, record.bornAt ?? 0) >= MISSING_GRACE;
}

/** Deleting by id what is not listed makes sure: what is gone already is a success. */
function askAgain(s: Snapshot, v: View): Step | null {
  const may = v.record.machineId !== null && due(s, v) && allowed(s, v);
  return may ? step('delete', v, null, v.record.reason) : null;
}

/** The batch system has not named it for so long, ms. */
function unknownFor(s: Snapshot, v: View, limit: number): Step | null {
  const since = v.record.missingSince;
  return since !== null && s.at - since >= limit ? remove(s, v, 'the batch system no longer knows it', false) : null;
}

/** Past its deadline in this state: this life has failed. */
function late(s: Snapshot, v: View, limit: number, what: string): Step | null {
  return s.at - v.record.since > limit
    ? remove(s, v, `${what} within ${span(limit)}${say(v.machine?.message ?? '')}`)
    : null;
}

function remove(s: Snapshot, v: View, because: string, counts = true): Step | null {
  if (!allowed(s, v)) return null;
  const taken = step('delete', v, 'stopping', because);
  return counts ? failed(taken) : taken;
}

/**
 * May it be closed or taken away at all? Never before the second complete reading, never with a job that may run,
 * never against an operator's hold.
 */
function allowed(s: Snapshot, v: View): boolean {
  return s.completeReads >= 2 && !v.record.held && !(working(v) && v.node?.state !== 'down');
}

/** After an error the call is not tried again before its time. */
function due(s: Snapshot, v: View): boolean {
  return s.at >= (s.retryCallAt.get(v.record.name) ?? 0);
}

export function step(kind: StepKind, v: View, to: HostState | null, because: string): Step {
  return { kind, host: v.record.name, to, because };
}

function failed(one: Step): Step {
  return { ...one, failed: true };
}

function say(detail: string): string {
  return detail === '' ? '' : `: ${detail}`;
}
