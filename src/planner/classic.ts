/**
 * POLICY=classic: the specification's main control to the letter.
 *
 * 1. Ask for the state of the queue; when one or more jobs wait, add a node (one at a time: the specification's
 *    add_node ends before the next look).
 * 2. When no job waits, wait for CLEANUP_NODE_WAIT_TIME seconds.
 * 3. Ask again; when no job waits and none runs, delete all nodes.
 * 4. Begin again at 1.
 *
 * Besides, a host that was taken out of hosts.json goes as soon as no job runs on it.
 *
 * Step 2 is a durable clock instead of a sleep, so a job that comes meanwhile is seen at once, and step 3 drains and
 * looks again before it deletes.
 */
import type { Step } from '../domain/plan.ts';
import type { QueueClocks, Snapshot } from '../domain/snapshot.ts';
import { count, span } from '../domain/words.ts';
import { notAfter } from './clocks.ts';
import { step } from './life.ts';
import type { Allowance } from './limits.ts';
import { more } from './offers.ts';
import { closedByOthers, notCreatable, onTheWay, outOfSight, type View, working } from './view.ts';

/** The clocks of steps 2 and 3: the wait starts when nothing waits, and begins anew when it ends while a job runs. */
export function classicClocks(s: Snapshot): QueueClocks {
  const waiting = s.jobs.some((job) => job.state === 'waiting');
  const empty = s.jobs.length === 0;
  const emptySince = empty ? notAfter(s.clocks.emptySince, s.at) : null;
  if (waiting) return { emptySince, noWaitingSince: null };
  const since = notAfter(s.clocks.noWaitingSince, s.at);
  const over = s.at - since >= s.pool.timing.cleanup;
  return { emptySince, noWaitingSince: over && !empty ? s.at : since };
}

export function classic(s: Snapshot, hosts: readonly View[], clocks: QueueClocks, allowed: Allowance): readonly Step[] {
  const waiting = s.jobs.filter((job) => job.state === 'waiting').length;
  if (s.jobs.length > 0) {
    const back = hosts.filter(
      (v) =>
        !v.retired &&
        v.record.state === 'draining' &&
        v.record.drainedBy !== 'operator' &&
        v.machine?.state === 'running',
    );
    const reopened = back.map((v) => step('undrain', v, 'ready', 'a job came to the queue'));
    // A host that is ours no more must not fill the place of one that a job waits for until no job waits at all.
    const old = s.completeReads < 2 ? [] : leave(hosts, 'it is no longer in hosts.json', (v) => v.retired);
    return [...old, ...reopened, ...addOne(s, hosts, waiting, allowed)];
  }
  const over = clocks.noWaitingSince !== null && s.at - clocks.noWaitingSince >= s.pool.timing.cleanup;
  if (!over || s.completeReads < 2) return [];
  const because = `no job waited or ran after ${span(s.pool.timing.cleanup)}: all nodes are deleted`;
  return leave(hosts, because, () => true);
}

function leave(hosts: readonly View[], because: string, which: (view: View) => boolean): readonly Step[] {
  return hosts
    .filter((v) => which(v) && !v.record.held && !v.underWay && !working(v) && !closedByOthers(v))
    .flatMap((v) => {
      if (v.record.state === 'ready') return [step('drain', v, 'draining', because)];
      return onTheWay(v) ? [step('delete', v, 'stopping', because)] : [];
    });
}

function addOne(s: Snapshot, hosts: readonly View[], waiting: number, allowed: Allowance): readonly Step[] {
  if (waiting === 0 || allowed.now === 0 || hosts.some((v) => onTheWay(v) && !outOfSight(s, v))) return [];
  const free = hosts.filter((v) => notCreatable(v) === null);
  return more(hosts, [], free, 1, `${count(waiting, 'job waits', 'jobs wait')}`, allowed);
}
