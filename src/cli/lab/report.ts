/** What happened to the sample: jobs and nodes with their times, and the checks that decide the exit code. */
import type { EventView } from '../../controller/view.ts';
import { type MachineLife, mostAtOnce } from './account.ts';
import type { LabJob } from './batch.ts';
import { type Check, checkSample } from './checks.ts';
import type { SampleJob } from './sample.ts';
import { expandHosts } from './slurm.ts';
import { firstMove, type Move } from './timeline.ts';

/** Everything that was seen; the report is made from it alone. Times are epoch ms. */
export interface Seen {
  readonly sample: readonly SampleJob[];
  /** The batch system's id of each sample job, by name. */
  readonly ids: ReadonlyMap<string, string>;
  readonly jobs: readonly LabJob[];
  /** First line of the marker file; null where nodes have no files. */
  readonly marker: string | null;
  /** What the jobs left beside it: file name `NAME.TASK.HOST` and first line. */
  readonly results: ReadonlyMap<string, string>;
  readonly lives: readonly MachineLife[];
  readonly moves: readonly Move[];
  readonly events: readonly EventView[];
  /** The service's last word on each job that waited, by sample name. */
  readonly verdicts: ReadonlyMap<string, { readonly kind: string; readonly because: string }>;
  readonly maxNodes: number;
  /** Machines the cloud still lists at the end. */
  readonly left: readonly string[];
  readonly startedAt: number;
  readonly endedAt: number;
  /** The run was cut short, and why; null when it went to its end. */
  readonly trouble: string | null;
}

export interface JobLine {
  readonly id: string;
  readonly name: string;
  readonly asks: string;
  readonly submittedAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** ms; null when it never ran. */
  readonly waited: number | null;
  readonly ran: number | null;
  readonly hosts: readonly string[];
  readonly state: string;
  /** Hosts of it on which it left proof that it saw the shared files; null where nodes have no files. */
  readonly proofs: readonly string[] | null;
  /** Why it never ran, in the service's words; empty for those that ran. */
  readonly because: string;
}

export interface NodeLine {
  readonly host: string;
  readonly machine: string;
  readonly lease: string;
  readonly createdAt: number;
  readonly upAt: number | null;
  readonly joinedAt: number | null;
  readonly drainedAt: number | null;
  readonly deletedAt: number | null;
  readonly goneAt: number | null;
  /** Names of the jobs it ran. */
  readonly jobs: readonly string[];
  /** Why it went. */
  readonly why: string;
}

export interface Report {
  readonly ok: boolean;
  /** ms from the first submission to the end. */
  readonly took: number;
  readonly startedAt: number;
  readonly mostMachines: number;
  readonly maxNodes: number;
  /** ms; null when nothing ran. */
  readonly averageWait: number | null;
  readonly jobs: readonly JobLine[];
  readonly nodes: readonly NodeLine[];
  readonly checks: readonly Check[];
  readonly events: readonly EventView[];
}

export function makeReport(seen: Seen): Report {
  const jobs = seen.sample.flatMap((job) => jobLines(job, seen));
  const nodes = seen.lives.map((life) => nodeLine(life, jobs, seen.moves));
  const checks = checkSample(seen, jobs);
  const waits = jobs.flatMap((job) => job.waited ?? []);
  return {
    ok: checks.every((check) => check.ok),
    took: seen.endedAt - seen.startedAt,
    startedAt: seen.startedAt,
    mostMachines: mostAtOnce(seen.lives),
    maxNodes: seen.maxNodes,
    averageWait: waits.length === 0 ? null : waits.reduce((sum, wait) => sum + wait, 0) / waits.length,
    jobs,
    nodes,
    checks,
    events: seen.events,
  };
}

/** One line per job, one per task of an array. */
function jobLines(job: SampleJob, seen: Seen): JobLine[] {
  const root = seen.ids.get(job.name);
  return seen.jobs
    .filter((record) => record.root === root)
    .sort((a, b) => (a.task ?? 0) - (b.task ?? 0))
    .map((record) => {
      const { startedAt, endedAt, submittedAt } = record;
      const hosts = expandHosts(record.nodeList);
      return {
        id: job.tasks === 0 ? record.id : `${record.root}_${record.task ?? '*'}`,
        name: job.tasks === 0 ? job.name : `${job.name}[${record.task ?? '*'}]`,
        asks: job.asks,
        submittedAt,
        startedAt,
        endedAt,
        waited: startedAt === null ? null : startedAt - submittedAt,
        ran: startedAt === null || endedAt === null ? null : endedAt - startedAt,
        hosts,
        state: record.state,
        proofs:
          seen.marker === null
            ? null
            : hosts.filter((host) => seen.results.get(`${job.name}.${record.task ?? 0}.${host}`) === seen.marker),
        because: startedAt === null ? (seen.verdicts.get(job.name)?.because ?? '') : '',
      };
    });
}

function nodeLine(life: MachineLife, jobs: readonly JobLine[], moves: readonly Move[]): NodeLine {
  // The service writes a state down before it asks the cloud, so its clock may be a little ahead of the cloud's.
  const span = { from: life.createdAt - 3000, to: life.goneAt ?? Number.POSITIVE_INFINITY };
  const drained = firstMove(moves, life.host, 'draining', span);
  const stopping = firstMove(moves, life.host, 'stopping', span);
  return {
    host: life.host,
    machine: life.id,
    lease: life.lease,
    createdAt: life.createdAt,
    upAt: life.runningAt,
    joinedAt: firstMove(moves, life.host, 'ready', span)?.at ?? null,
    drainedAt: drained?.at ?? null,
    deletedAt: life.deletedAt,
    goneAt: life.goneAt,
    jobs: jobs
      .filter((job) => job.hosts.includes(life.host) && job.startedAt !== null)
      .filter((job) => (job.startedAt ?? 0) >= span.from && (job.startedAt ?? 0) <= span.to)
      .map((job) => job.name),
    why: (drained ?? stopping)?.reason ?? '',
  };
}
