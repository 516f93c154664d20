/**
 * `hybrid-cloud lab --simulated`: the lab for machines without root. The controller, the planner, the store and the API
 * are the real ones, in real time; batch system, cloud and nodes are the fakes that the simulator uses, in this process.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quietLog } from '../../lib/log.ts';
import { serve } from '../../service/server.ts';
import type { JobRecord } from '../../sim/ledger.ts';
import { makeSite, type Site } from '../../sim/site.ts';
import type { LabBatch, LabJob } from './batch.ts';
import { saying, work } from './lab.ts';
import { Interrupted, LabError, type LabParts } from './parts.ts';

export interface SimulatedArgs {
  readonly mode: 'live' | 'once';
  readonly json: boolean;
  /** Where the API listens; undefined = in a folder of its own. */
  readonly socket: string | undefined;
  readonly version: string;
  readonly pid: number;
}

/** As short as the sample allows: whoever tries it has a minute. ms */
const IDLE = 6_000;
const POLL = 2_000;

/** @returns exit code: 0 all well, 1 something did not hold, 130 interrupted */
export async function labSimulated(args: SimulatedArgs, parts: LabParts): Promise<number> {
  const { clock } = parts;
  const say = saying(parts);
  try {
    await using stack = new AsyncDisposableStack();
    const socket = args.socket ?? (await ownSocket(stack));
    const site = stack.use(
      makeSite({
        ...args,
        clock,
        log: quietLog,
        hosts: parts.place.hosts,
        cpus: parts.place.cpus,
        bootTime: parts.place.bootTime * 1000,
        idle: IDLE,
        poll: POLL,
      }),
    );
    stack.use(await opened(serve(site.control, { socket, log: quietLog, clock })));
    const stop = new AbortController();
    const running = site.run(stop.signal);
    stack.defer(async () => {
      stop.abort();
      await running;
    });
    say(`the service works, with a simulated batch system, cloud and nodes: ${parts.place.hosts} hosts, none is there`);
    say(`ask it, for example: ./hybrid-cloud status --socket ${socket}`);
    const simulated = { batch: batchOf(site), lives: () => site.machines().map((one) => ({ ...one, failedAt: null })) };
    return await work(args, { ...parts, place: { ...parts.place, socket }, simulated }, say);
  } catch (error) {
    if (parts.signal.aborted || error instanceof Interrupted) return 130;
    if (!(error instanceof LabError)) throw error;
    parts.err.write(`${error.message}\n`);
    return 1;
  }
}

async function ownSocket(stack: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'hybrid-cloud-simulated-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'api.sock');
}

/** A socket that cannot be listened on is told in one line. */
async function opened<T>(serving: Promise<T>): Promise<T> {
  try {
    return await serving;
  } catch (error) {
    throw new LabError(error instanceof Error ? error.message : String(error));
  }
}

function batchOf(site: Site): LabBatch {
  return {
    async submit(job, ids) {
      const spec = {
        name: job.name,
        nodes: job.nodes,
        ...(job.memoryMiB > 0 ? { memoryMiB: job.memoryMiB } : {}),
        ...(job.tasks > 0 ? { array: job.tasks } : {}),
        ...(job.taskLimit > 0 ? { taskLimit: job.taskLimit } : {}),
        ...(job.after === undefined ? {} : { after: ids.get(job.after) ?? '' }),
        exclusive: job.alone,
        hold: job.fate === 'held',
      };
      return site.submit(spec, job.works * 1000);
    },
    jobs: async () => site.jobs().map(toLabJob),
    cancel: async (ids) => site.cancel(ids),
  };
}

const STATES = { waits: 'PENDING', runs: 'RUNNING', done: 'COMPLETED', cancelled: 'CANCELLED' } as const;

function toLabJob({ id, root, task, state, submittedAt, startedAt, endedAt, hosts, starts }: JobRecord): LabJob {
  return {
    id,
    root,
    task,
    state: STATES[state],
    reason: '',
    submittedAt,
    startedAt,
    endedAt,
    exit: state === 'done' ? '0:0' : '',
    restarts: Math.max(0, starts - 1),
    nodeList: hosts.join(','),
  };
}
