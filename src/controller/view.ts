/**
 * What the controller shows and lets itself be told. The API serves exactly this as JSON; the command line prints it.
 * Plain data: times are epoch ms, durations ms.
 */
import type { HostState } from '../domain/lifecycle.ts';
import type { Machine } from '../domain/machine.ts';
import type { NodeState } from '../domain/node.ts';
import type { Step, Verdict } from '../domain/plan.ts';
import type { Policy } from '../domain/pool.ts';
import type { Usage } from '../domain/usage.ts';

/** Health of one of the two sides we read. */
export interface ReadingView {
  /** `slurm`, `command`... */
  readonly kind: string;
  readonly ok: boolean;
  /** When the last complete reading began, or null. */
  readonly lastGoodAt: number | null;
  /** Since when it fails, or null. */
  readonly failingSince: number | null;
  /** The error in one line, empty when ok. */
  readonly message: string;
  /** How long the last reading took, ms. */
  readonly took: number;
}

/** One cloud of a pool that has several. */
export interface CloudView {
  readonly name: string;
  readonly reading: ReadingView;
  readonly brake: BrakeView | null;
  /** Hosts with a machine of this cloud. */
  readonly nodes: number;
  readonly maxNodes: number;
}

/** Why creation is paused. */
export interface BrakeView {
  readonly kind: string;
  readonly message: string;
  /** Epoch ms; null = until something changes. */
  readonly until: number | null;
}

/** One limit of a budget. */
export interface BudgetView {
  /** The cloud it is about; null = the pool. */
  readonly cloud: string | null;
  /** `nodes`, `node hours per day`, `money per month`... */
  readonly what: string;
  readonly used: number;
  readonly limit: number;
  /** When the count begins anew, epoch ms; null for nodes at one time. */
  readonly endsAt: number | null;
  /** `stopped`: no new nodes because of it. */
  readonly state: 'ok' | 'warning' | 'stopped';
}

export interface StatusView {
  readonly version: string;
  readonly pid: number;
  readonly startedAt: number;
  readonly at: number;
  readonly pool: string;
  readonly queue: string;
  readonly policy: Policy;
  readonly batch: ReadingView;
  /** Of several clouds the first that is in trouble, or the first of all. */
  readonly cloud: ReadingView;
  /** Only where the pool has several, in the order of preference. */
  readonly clouds?: readonly CloudView[];
  /** Only where prices, budgets or several clouds are set: what was spent since the day and the month began. */
  readonly usage?: Usage;
  /** All limits of the budgets; only where there are any. */
  readonly budget?: readonly BudgetView[];
  /** The specification's tally, `{ PD: 3, R: 1 }`; from the last complete reading, null before the first. */
  readonly tally: Readonly<Record<string, number>> | null;
  readonly waiting: number;
  readonly running: number;
  /** Hosts by state, states without hosts left out. */
  readonly hosts: Readonly<Partial<Record<HostState, number>>>;
  readonly registered: number;
  readonly maxNodes: number;
  /** What the last look decided, in sentences. When nothing may be done: "nothing changed because ...". */
  readonly summary: string;
  /** Why creation is paused, or null; null where each of several clouds has its own. */
  readonly brake: BrakeView | null;
  /** Why jobs are waiting: one line per different reason, with how many jobs it holds up. */
  readonly waitingBecause: readonly { readonly text: string; readonly jobs: number }[];
  readonly warnings: readonly string[];
  /** Seconds-long waits are normal; this says when the next look is due. */
  readonly nextLookAt: number | null;
  /** Which of several services is at work, and who stands by; absent where only one can be. */
  readonly active?: ActiveView;
}

export interface ActiveView {
  /** Grows with each start and each takeover. */
  readonly token: number;
  readonly host: string;
  readonly pid: number;
  /** Since when it is at work. */
  readonly since: number;
  /** It was started with --standby: somebody should stand by. */
  readonly expected: boolean;
  /** Those who would take over, as far as they were seen to live. */
  readonly standbys: readonly { readonly host: string; readonly pid: number }[];
}

export interface NodeView {
  readonly host: string;
  readonly ip: string;
  readonly state: HostState;
  readonly since: number;
  readonly reason: string;
  readonly held: boolean;
  readonly retired: boolean;
  readonly failures: number;
  readonly machine: Machine | null;
  /** The batch system's side; null before the first reading. */
  readonly batch: {
    readonly state: NodeState;
    readonly words: string;
    readonly reason: string;
    readonly jobs: readonly string[];
  } | null;
  readonly idleSince: number | null;
  /** When this state's deadline ends, or null. */
  readonly deadlineAt: number | null;
  readonly retryAt: number | null;
}

export interface JobView {
  readonly id: string;
  readonly user: string;
  readonly name: string;
  readonly code: string;
  readonly state: 'waiting' | 'running';
  readonly tasks: number;
  readonly nodes: number;
  readonly cpus: number;
  readonly submittedAt: number | null;
  readonly hosts: readonly string[];
  readonly reason: string;
  /** Null for running jobs. */
  readonly verdict: Verdict | null;
}

export interface PlanView {
  readonly at: number;
  readonly summary: string;
  readonly steps: readonly Step[];
  readonly verdicts: readonly Verdict[];
  readonly warnings: readonly string[];
}

export interface ExplainView {
  readonly kind: 'job' | 'host';
  readonly name: string;
  readonly text: string;
}

export interface EventView {
  readonly id: number;
  readonly at: number;
  readonly level: 'info' | 'warn' | 'error';
  readonly subject: string | null;
  readonly text: string;
  /** Only where the service has several pools. */
  readonly pool?: string;
}

/** The outcome of something an operator asked for: one line either way. */
export interface Answer {
  readonly ok: boolean;
  readonly text: string;
}

export interface Control {
  status(): StatusView;
  nodes(): readonly NodeView[];
  jobs(): readonly JobView[];
  /** Looks anew and says what it would do; changes nothing. Rejects with the reading's error when there is no answer. */
  plan(): Promise<PlanView>;
  /** Null when there is neither such a job nor such a host. */
  explain(name: string): ExplainView | null;
  events(limit: number, after?: number): readonly EventView[];
  /** Resolves when an event newer than `after` exists or the signal aborts. */
  waitForEvent(after: number, signal: AbortSignal): Promise<void>;
  hold(host: string, by: string): Answer;
  /** Ends a hold or a quarantine; with null also a pause of creation. */
  release(host: string | null, by: string): Answer;
  drain(host: string, by: string): Answer;
  cleanup(by: string): Answer;
  /** Look now. */
  poke(): Answer;
}
