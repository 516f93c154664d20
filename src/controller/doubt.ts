/**
 * Doubt: two things the batch system shows and does not keep. A node whose daemon does not answer is not lost yet, but
 * gets no job. And an idle node on which a waiting job is not started, minute after minute, is none that this job can
 * use, whatever we understood of it (an excluded node, a reservation, a topology): it must not be paid for until
 * somebody wonders.
 */
import type { HostRecord } from '../domain/host.ts';
import type { Job } from '../domain/job.ts';
import type { Plan, Verdict } from '../domain/plan.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import { list, span } from '../domain/words.ts';
import type { Recorder } from './record.ts';

export interface Doubt {
  /** The snapshot with what is remembered. */
  seen(s: Snapshot): Snapshot;
  /** What this plan expects of the batch system; whether it comes is seen by the next ones. */
  expect(s: Snapshot, decided: Plan): void;
}

/** ms for which a batch system may leave an idle node and a job for it alone; Slurm's backfill looks every 30 s. */
export const UNCLAIMED_AFTER = 300_000;
/** ms until such a host is tried again for that job; doubled each time, up to a day. */
const AGAIN_AFTER = 30 * 60_000;
const LONGEST = 24 * 3600_000;

const HELD_UP: ReadonlySet<Verdict['kind']> = new Set(['coming', 'creating', 'blocked']);

interface Refusal {
  readonly until: number;
  readonly times: number;
}

/** Remembers in memory: a service that has just started trusts anew. */
export function makeDoubt(recorder: Pick<Recorder, 'tell'>): Doubt {
  const unanswered = new Map<string, number>();
  const unclaimed = new Map<string, { readonly since: number; readonly lease: string | null }>();
  /** By job, then by host. */
  const refusals = new Map<string, Map<string, Refusal>>();

  function answers(s: Snapshot): void {
    for (const { name, state } of s.hosts) {
      const lost = (state === 'ready' || state === 'draining') && s.nodes.get(name)?.responding === false;
      if (!lost) unanswered.delete(name);
      else if (!unanswered.has(name)) unanswered.set(name, s.at);
    }
  }

  function refusedNow(s: Snapshot): Map<string, ReadonlySet<string>> {
    const now = new Map<string, ReadonlySet<string>>();
    for (const [job, hosts] of refusals) {
      const still = [...hosts].filter(([, { until }]) => s.at < until).map(([host]) => host);
      if (still.length > 0) now.set(job, new Set(still));
    }
    return now;
  }

  /**
   * Which of these hosts, all idle and meant for it for so long, the job shall not count on. Of the hosts of a job of
   * several one alone may be what it cannot use: that one is found by leaving out one at a time, each in its turn.
   */
  function toRefuse(job: Job, due: readonly string[]): readonly string[] {
    if (job.ask.nodes <= 1) return due;
    const times = (host: string) => refusals.get(job.id)?.get(host)?.times ?? 0;
    return due.toSorted((a, b) => times(a) - times(b)).slice(0, 1);
  }

  function refuse(s: Snapshot, job: string, host: string): void {
    const hosts = refusals.get(job) ?? new Map<string, Refusal>();
    const times = (hosts.get(host)?.times ?? 0) + 1;
    hosts.set(host, { until: s.at + Math.min(LONGEST, AGAIN_AFTER * 2 ** (times - 1)), times });
    refusals.set(job, hosts);
  }

  function tell(host: string, jobs: readonly Job[]): void {
    const ids = jobs.map(({ id }) => id);
    const whose = `${ids.length === 1 ? 'job' : 'jobs'} ${list(ids, 4)}`;
    const reason = jobs[0]?.reason ?? '';
    const says = reason === '' ? 'and does not say why' : `and says: ${reason}`;
    const text = `${host} has been idle for ${span(UNCLAIMED_AFTER)} with room for ${whose}, but the batch system starts nothing there ${says}. It is no longer kept for that`;
    recorder.tell('warn', host, text);
  }

  /**
   * The jobs that must start now. Not those behind one that waits for hosts: a scheduler keeps idle nodes for that one
   * (backfill), and what it does not start meanwhile it does not refuse.
   */
  function next({ verdicts }: Plan): readonly Verdict[] {
    const first = verdicts.findIndex(({ kind, job }) => HELD_UP.has(kind) && !refusals.has(job));
    return (first < 0 ? verdicts : verdicts.slice(0, first)).filter(({ kind }) => kind === 'now');
  }

  function giveUp(s: Snapshot, decided: Plan, due: ReadonlySet<string>): void {
    const jobs = new Map(s.jobs.map((job) => [job.id, job]));
    const without = new Map<string, Job[]>();
    for (const { job: id, hosts } of next(decided)) {
      const job = jobs.get(id);
      if (job === undefined) continue;
      const own = hosts.filter((host) => due.has(host));
      for (const host of toRefuse(job, own)) {
        refuse(s, id, host);
        without.set(host, [...(without.get(host) ?? []), job]);
      }
    }
    for (const host of due) unclaimed.delete(host);
    for (const [host, of] of without) tell(host, of);
  }

  return {
    seen(s) {
      answers(s);
      const waiting = new Set(s.jobs.flatMap((job) => (job.state === 'waiting' ? [job.id] : [])));
      for (const job of refusals.keys()) if (!waiting.has(job)) refusals.delete(job);
      return { ...s, unanswered: new Map(unanswered), refused: refusedNow(s) };
    },
    expect(s, decided) {
      // What happened while nobody could look is not known.
      if (s.completeReads < 2) unclaimed.clear();
      const idle = new Map(s.hosts.filter((host) => isIdle(s, host)).map((host) => [host.name, host]));
      for (const name of unclaimed.keys()) if (!idle.has(name)) unclaimed.delete(name);
      if (idle.size === 0) return;
      const due = new Set<string>();
      const placed = new Set(next(decided).flatMap(({ hosts }) => hosts));
      for (const [name, { lease }] of idle) {
        const known = unclaimed.get(name);
        if (!placed.has(name)) unclaimed.delete(name);
        else if (known === undefined || known.lease !== lease) unclaimed.set(name, { since: s.at, lease });
        else if (s.at - known.since >= UNCLAIMED_AFTER) due.add(name);
      }
      if (due.size > 0) giveUp(s, decided, due);
    },
  };
}

function isIdle(s: Snapshot, { name, state }: HostRecord): boolean {
  const node = s.nodes.get(name);
  return state === 'ready' && node?.state === 'idle' && node.responding && !node.hasJob;
}
