/**
 * getStatus: `scontrol show node` for our hosts, then `squeue` for the queue, and both put together.
 *
 * Two commands. A further one comes in four cases:
 * - once: an old squeue that does not know the long format (asked again with the short one, and remembered)
 * - once: the first waiting job that names no memory (does memory count here?)
 * - twice a minute at most: a queue that nobody names (does it exist?), or a new job that the scheduler has not looked at
 *   (does the partition start jobs at all?)
 * - once a minute at most, while jobs wait that ask for licences (how many are free?)
 */
import { BatchError } from '../../domain/errors.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { Batch } from '../batch.ts';
import type { Ask } from '../command.ts';
import { failureOf } from './command.ts';
import { askJobs, type JobReading, readJobs } from './job-records.ts';
import { type Licences, parseWish, readLicences } from './licences.ts';
import { askNodes } from './look.ts';
import type { NodeReading } from './node-records.ts';
import { makePartitions, noQueue, notLookedAt, startsJobs } from './partition.ts';
import { putTogether } from './together.ts';

export interface StatusParts {
  readonly ask: Ask;
  readonly clock: Clock;
  readonly log: Log;
  /** Is memory handed out like CPUs? Null when Slurm does not tell. */
  readonly memoryCounts: (signal?: AbortSignal) => Promise<boolean | null>;
}

/** How long the number of free licences is believed, ms. */
const BELIEVED = 60_000;

export function makeStatus(parts: StatusParts): Batch['getStatus'] {
  const { ask, clock } = parts;
  const jobsOf = makeJobsOf(parts);
  const partitionOf = makePartitions(ask, clock);
  let licences: { readonly at: number; readonly free: Licences } | null = null;

  /**
   * squeue prints nothing for a queue that does not exist and ends with 0 (22.05.8), as for an empty one. So when
   * neither a node nor a job names the queue, the partition itself is asked for.
   */
  async function takesJobs(queue: string, nodes: NodeReading, jobs: JobReading, signal?: AbortSignal) {
    const named = [...nodes.records.values()].some((record) => record.partitions.includes(queue));
    const exists = named || jobs.records.length > 0;
    if (exists && !jobs.records.some(notLookedAt)) return true;
    return startsJobs(await partitionOf(queue, signal));
  }

  async function freeLicences(jobs: JobReading, signal?: AbortSignal): Promise<Licences | null> {
    const asked = jobs.records.some(({ code, request }) => code === 'PD' && parseWish(request.licenses) !== null);
    if (!asked) return null;
    if (licences === null || clock.monotonic() - licences.at >= BELIEVED) {
      const result = await ask(['scontrol', '-o', 'show', 'licenses'], signal);
      const failure = failureOf(result);
      if (failure) throw failure;
      licences = { at: clock.monotonic(), free: readLicences(result.stdout) };
    }
    return licences.free;
  }

  return async (queue, hosts, signal) => {
    if (!/^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/.test(queue)) throw noQueue(queue);
    const start = clock.monotonic();
    const nodes = await askNodes(ask, hosts, signal);
    const jobs = await jobsOf(queue, signal);
    const open = await takesJobs(queue, nodes, jobs, signal);
    const free = await freeLicences(jobs, signal);
    const took = clock.monotonic() - start;
    const mute = jobs.records.some((record) => record.code === 'PD' && record.request.minMemory === '0');
    const memoryCounts = mute && (await parts.memoryCounts(signal)) === true;
    const readings = { queue, hosts, nodes, jobs, memoryCounts, open, licences: free, now: clock.now() };
    return { ...putTogether(readings), took };
  };
}

/** Asks squeue for the jobs of a queue, in the long format as long as this squeue understands it. */
function makeJobsOf({ ask, log }: StatusParts): (queue: string, signal?: AbortSignal) => Promise<JobReading> {
  let style: 'long' | 'short' = 'long';
  return async (queue, signal) => {
    if (style === 'long') {
      const answer = await askOnce(queue, 'long', signal);
      if (answer !== 'another format') return answer;
    }
    const answer = await askOnce(queue, 'short', signal);
    if (answer === 'another format') {
      throw new BatchError('garbled', 'the answer of squeue was cut or is not its own');
    }
    if (style === 'long')
      log.info('this squeue does not know the long format: memory per CPU is read as per node, and --gpus is not seen');
    style = 'short';
    return answer;
  };

  async function askOnce(
    queue: string,
    format: 'long' | 'short',
    signal?: AbortSignal,
  ): Promise<JobReading | 'another format'> {
    const question = askJobs(queue, format);
    const result = await ask(question.command, signal);
    // before 20.11 a text behind a field is left out, and some fields are not known
    const ours = result.stdout === '' || result.stdout.includes(question.separator);
    if (/Invalid job format specification/i.test(result.stderr)) return 'another format';
    const failure = failureOf(result);
    if (failure) throw failure;
    if (!ours) return 'another format';
    const reading = readJobs(result.stdout, question);
    if (!reading.cut) return reading;
    throw new BatchError('garbled', 'the answer of squeue was cut', {
      facts: { bytes: result.stdout.length, end: result.stdout.slice(-200) },
    });
  }
}
