/**
 * getStatus: `scontrol show node` for our hosts, then `squeue` for the queue, and both put together.
 *
 * Two commands. A third one comes in three cases, each once in the life of the service or for a queue nothing can be
 * started for: an old squeue that does not know the long format (asked again with the short one, and remembered); the
 * first waiting job that names no memory (does memory count here?); a queue that nobody names (does it exist?).
 */
import { BatchError } from '../../domain/errors.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import type { Batch } from '../batch.ts';
import type { Ask } from '../command.ts';
import { failureOf } from './command.ts';
import { askJobs, type JobReading, readJobs } from './job-records.ts';
import { askNodes } from './look.ts';
import type { NodeReading } from './node-records.ts';
import { putTogether } from './together.ts';

export interface StatusParts {
  readonly ask: Ask;
  readonly clock: Clock;
  readonly log: Log;
  /** Is memory handed out like CPUs? Null when Slurm does not tell. */
  readonly memoryCounts: (signal?: AbortSignal) => Promise<boolean | null>;
}

/** How long a queue that was seen to exist is believed to, ms; only asked when none of our hosts is in it. */
const BELIEVED = 60_000;

export function makeStatus(parts: StatusParts): Batch['getStatus'] {
  const { ask, clock } = parts;
  const jobsOf = makeJobsOf(parts);
  const seen = new Map<string, number>();

  /**
   * squeue prints nothing for a queue that does not exist and ends with 0 (22.05.8), as for an empty one. So when
   * neither a node nor a job names the queue, the partition itself is asked for, once a minute at most.
   */
  async function mustExist(queue: string, nodes: NodeReading, jobs: JobReading, signal?: AbortSignal): Promise<void> {
    const named = [...nodes.records.values()].some((record) => record.partitions.includes(queue));
    if (named || jobs.records.length > 0) return;
    const last = seen.get(queue);
    if (last !== undefined && clock.monotonic() - last < BELIEVED) return;
    const result = await ask(['scontrol', '-o', 'show', 'partition', queue], signal);
    if (/^Partition \S+ not found$/m.test(`${result.stdout}\n${result.stderr}`)) throw noQueue(queue);
    const failure = failureOf(result);
    if (failure) throw failure;
    seen.set(queue, clock.monotonic());
  }

  return async (queue, hosts, signal) => {
    if (!/^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/.test(queue)) throw noQueue(queue);
    const start = clock.monotonic();
    const nodes = await askNodes(ask, hosts, signal);
    const jobs = await jobsOf(queue, signal);
    await mustExist(queue, nodes, jobs, signal);
    const took = clock.monotonic() - start;
    const mute = jobs.records.some((record) => record.code === 'PD' && record.request.minMemory === '0');
    const memoryCounts = mute && (await parts.memoryCounts(signal)) === true;
    return { ...putTogether({ queue, hosts, nodes, jobs, memoryCounts, now: clock.now() }), took };
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

function noQueue(queue: string): BatchError {
  return new BatchError('no-queue', `Slurm has no partition ${JSON.stringify(queue)}`, {
    hint: 'correct QUEUE_NAME or create the partition in slurm.conf',
  });
}
