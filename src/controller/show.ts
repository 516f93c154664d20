/**
 * Show: the last snapshot and plan as the views of the API. Pure.
 */
import type { HostRecord } from '../domain/host.ts';
import type { HostState } from '../domain/lifecycle.ts';
import type { Machine } from '../domain/machine.ts';
import type { Plan, Verdict } from '../domain/plan.ts';
import type { Budget, Pool, Timing } from '../domain/pool.ts';
import type { Snapshot } from '../domain/snapshot.ts';
import type { Usage } from '../domain/usage.ts';
import { bootDeadline } from '../planner/boot.ts';
import { budgetLines } from '../planner/budget.ts';
import type { BudgetView, JobView, NodeView, StatusView } from './view.ts';

export function nodeViews(hosts: readonly HostRecord[], pool: Pool, s: Snapshot | null): readonly NodeView[] {
  return hosts.map((record) => {
    const node = s?.nodes.get(record.name);
    const machine = s?.machines.get(record.name);
    return {
      host: record.name,
      ip: record.ip,
      state: record.state,
      since: record.since,
      reason: record.reason,
      held: record.held,
      retired: s?.retired.has(record.name) ?? false,
      failures: record.failures,
      machine: machine ?? null,
      batch: node ? { state: node.state, words: node.words, reason: node.reason, jobs: node.jobs } : null,
      idleSince: record.idleSince,
      deadlineAt: deadlineAt(record, machine, pool),
      retryAt: record.retryAt,
    };
  });
}

function deadlineAt(record: HostRecord, machine: Machine | undefined, pool: Pool): number | null {
  if (record.state === 'starting') return bootDeadline(record, machine, pool);
  const limit = DEADLINE[record.state];
  return limit === undefined ? null : record.since + (pool.timing[limit] ?? 0);
}

const DEADLINE: Readonly<Partial<Record<HostState, keyof Timing>>> = {
  preparing: 'prepare',
  joining: 'join',
  stopping: 'stop',
};

/** The limits of one budget. @param nodes machines there are now */
export function budgetViews(
  cloud: string | null,
  budget: Budget | undefined,
  usage: Usage,
  nodes: number,
): readonly BudgetView[] {
  if (budget === undefined) return [];
  const state = (used: number, limit: number): BudgetView['state'] =>
    used >= limit ? 'stopped' : used >= limit * budget.warnAt ? 'warning' : 'ok';
  const most = budget.nodes;
  return [
    ...(most === null
      ? []
      : [
          {
            cloud,
            what: 'nodes',
            used: nodes,
            limit: most,
            endsAt: null,
            state: nodes < most ? 'ok' : 'stopped',
          } as const,
        ]),
    ...budgetLines(budget, usage).map(({ what, used, limit, endsAt }) => ({
      cloud,
      what,
      used,
      limit,
      endsAt,
      state: state(used, limit),
    })),
  ];
}

export function jobViews(s: Snapshot, plan: Plan): readonly JobView[] {
  const verdicts = new Map(plan.verdicts.map((verdict): [string, Verdict] => [verdict.job, verdict]));
  return s.jobs.map((job) => ({
    id: job.id,
    user: job.user,
    name: job.name,
    code: job.code,
    state: job.state,
    tasks: job.tasks,
    nodes: job.ask.nodes,
    cpus: job.ask.cpus,
    submittedAt: job.submittedAt,
    hosts: job.hosts,
    reason: job.reason,
    verdict: verdicts.get(job.id) ?? null,
  }));
}

/** Why jobs wait: equal texts together, the most frequent first. */
export function waitingBecause(s: Snapshot, plan: Plan): StatusView['waitingBecause'] {
  const tasks = new Map(s.jobs.map((job) => [job.id, job.tasks]));
  const counts = new Map<string, number>();
  for (const verdict of plan.verdicts) {
    counts.set(verdict.because, (counts.get(verdict.because) ?? 0) + (tasks.get(verdict.job) ?? 1));
  }
  return [...counts].map(([text, jobs]) => ({ text, jobs })).sort((a, b) => b.jobs - a.jobs);
}
