/**
 * A controller that only shows what it is given and notes what it is told: for tests of the API and the command line.
 */
import type {
  Control,
  EventView,
  ExplainView,
  JobView,
  NodeView,
  PlanView,
  ReadingView,
  StatusView,
} from '../controller/view.ts';
import type { Verdict } from '../domain/plan.ts';

/** 2027-01-15 08:00:00 UTC; `manualClock()` starts at the same moment. */
export const NOW = 1_800_000_000_000;

export interface FakeControl extends Control {
  /** What it was told, in order: `hold c1 by taro`. */
  readonly told: string[];
  /** How often a plan was asked for. */
  readonly plans: () => number;
  /** What it shows; a test replaces what it needs. */
  show: {
    status: StatusView;
    nodes: readonly NodeView[];
    jobs: readonly JobView[];
    plan: () => Promise<PlanView>;
    explain: readonly ExplainView[];
  };
  /** Appends an event and wakes who waits. */
  emit(event: Partial<EventView>): void;
  /** Requests that wait for an event now. */
  readonly waiters: () => number;
  /** The next orders are answered with this instead of yes. */
  refuse: string | null;
}

export function fakeControl(): FakeControl {
  const told: string[] = [];
  let events: EventView[] = [];
  let plans = 0;
  const waiting = new Set<() => void>();
  const order = (text: string) => {
    told.push(text);
    return control.refuse === null ? { ok: true, text: `done: ${text}` } : { ok: false, text: control.refuse };
  };
  const control: FakeControl = {
    told,
    plans: () => plans,
    waiters: () => waiting.size,
    refuse: null,
    show: {
      status: aStatus(),
      nodes: [aNode(), aNode({ host: 'c2', ip: '10.77.0.102', state: 'starting', reason: '1 job waits for a node' })],
      jobs: [aJob(), aJob({ id: '17', code: 'R', state: 'running', hosts: ['c1'], verdict: null })],
      plan: async () => aPlan(),
      explain: [{ kind: 'job', name: '18', text: 'Job 18 waits for c2, which is starting.' }],
    },
    emit(event) {
      events = [
        ...events,
        { id: (events.at(-1)?.id ?? 0) + 1, at: NOW, level: 'info', subject: null, text: 'something', ...event },
      ];
      for (const wake of waiting) wake();
    },
    status: () => control.show.status,
    nodes: () => control.show.nodes,
    jobs: () => control.show.jobs,
    plan() {
      plans++;
      return control.show.plan();
    },
    explain: (name) => control.show.explain.find((view) => view.name === name) ?? null,
    events: (limit, after = 0) => events.filter((event) => event.id > after).slice(-limit),
    waitForEvent(after, signal) {
      return new Promise((resolve) => {
        const end = () => {
          waiting.delete(end);
          resolve();
        };
        if (signal.aborted || (events.at(-1)?.id ?? 0) > after) return end();
        waiting.add(end);
        signal.addEventListener('abort', end, { once: true });
      });
    },
    hold: (host, by) => order(`hold ${host} by ${by}`),
    release: (host, by) => order(`release ${host ?? 'everything'} by ${by}`),
    drain: (host, by) => order(`drain ${host} by ${by}`),
    cleanup: (by) => order(`cleanup by ${by}`),
    poke: () => order('poke'),
  };
  return control;
}

export function aReading(more: Partial<ReadingView> = {}): ReadingView {
  return { kind: 'slurm', ok: true, lastGoodAt: NOW - 2000, failingSince: null, message: '', took: 40, ...more };
}

export function aStatus(more: Partial<StatusView> = {}): StatusView {
  return {
    version: '0.1.0',
    pid: 4242,
    startedAt: NOW - 3 * 3_600_000,
    at: NOW,
    pool: 'cloud',
    queue: 'cloud',
    policy: 'demand',
    batch: aReading(),
    cloud: aReading({ kind: 'command' }),
    tally: { PD: 3, R: 1 },
    waiting: 3,
    running: 1,
    hosts: { ready: 1, starting: 2, free: 1 },
    registered: 4,
    maxNodes: 4,
    summary: '3 jobs wait; c2 and c3 are starting; creating c4.',
    brake: null,
    waitingBecause: [{ text: 'their nodes are on the way', jobs: 3 }],
    warnings: [],
    nextLookAt: NOW + 3000,
    ...more,
  };
}

export function aNode(more: Partial<NodeView> = {}): NodeView {
  return {
    host: 'c1',
    ip: '10.77.0.101',
    state: 'ready',
    since: NOW - 180_000,
    reason: 'registered with the batch system',
    held: false,
    retired: false,
    failures: 0,
    machine: null,
    batch: { state: 'busy', words: 'ALLOCATED', reason: '', jobs: ['17'] },
    idleSince: null,
    deadlineAt: null,
    retryAt: null,
    ...more,
  };
}

export function aJob(more: Partial<JobView> = {}): JobView {
  return {
    id: '18',
    user: 'ubuntu',
    name: 'run.sh',
    code: 'PD',
    state: 'waiting',
    tasks: 1,
    nodes: 1,
    cpus: 2,
    submittedAt: NOW - 75_000,
    hosts: [],
    reason: 'Resources',
    verdict: aVerdict(),
    ...more,
  };
}

export function aVerdict(more: Partial<Verdict> = {}): Verdict {
  return { job: '18', kind: 'coming', hosts: ['c2'], because: 'c2 is starting for it', ...more };
}

export function aPlan(more: Partial<PlanView> = {}): PlanView {
  return {
    at: NOW,
    summary: '3 jobs wait; c2 and c3 are starting; creating c4.',
    steps: [{ kind: 'create', host: 'c4', to: 'starting', because: '1 job waits and no node has room for it' }],
    verdicts: [aVerdict()],
    warnings: [],
    ...more,
  };
}
