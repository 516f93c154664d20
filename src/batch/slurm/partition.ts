/**
 * The partition itself. It is asked only when jobs and nodes do not tell: does it exist at all, and does it start jobs?
 * A partition that is DOWN or INACTIVE starts none. The reason says so (PartitionDown) once the scheduler has looked at a
 * job; before it says "ReqNodeNotAvail" (seen with 22.05.8).
 */
import { BatchError } from '../../domain/errors.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Ask } from '../command.ts';
import { parseTime } from './amounts.ts';
import { failureOf } from './command.ts';
import type { JobRecord } from './job-records.ts';

export interface Partition {
  /** `UP`, `DOWN`, `INACTIVE`, `DRAIN`. */
  readonly state: string;
}

/** How long an answer is believed, ms. */
const BELIEVED = 30_000;

/**
 * @returns a function that asks for a partition, twice a minute at most
 * @throws BatchError `no-queue` when there is none, and what a command of Slurm's may fail with
 */
export function makePartitions(ask: Ask, clock: Clock): (queue: string, signal?: AbortSignal) => Promise<Partition> {
  const known = new Map<string, { readonly at: number; readonly partition: Partition }>();
  return async (queue, signal) => {
    const last = known.get(queue);
    if (last !== undefined && clock.monotonic() - last.at < BELIEVED) return last.partition;
    const result = await ask(['scontrol', '-o', 'show', 'partition', queue], signal);
    if (/^Partition \S+ not found$/m.test(`${result.stdout}\n${result.stderr}`)) throw noQueue(queue);
    const failure = failureOf(result);
    if (failure) throw failure;
    const partition = { state: /\sState=(\S+)/.exec(result.stdout)?.[1] ?? 'UP' };
    known.set(queue, { at: clock.monotonic(), partition });
    return partition;
  };
}

/** Has the scheduler not looked at it since it was submitted, and does its reason say nothing yet? */
export function notLookedAt(record: JobRecord): boolean {
  if (record.code !== 'PD' || !/^\(?(None|ReqNodeNotAvail)\b/.test(record.reason)) return false;
  const [evaluated, submitted] = [parseTime(record.evaluated), parseTime(record.submitted)];
  // slurmctld itself looks once as it takes the job: in the same second
  return evaluated !== null && submitted !== null && evaluated <= submitted;
}

/** Does it start jobs? DRAIN only takes no new ones. */
export function startsJobs({ state }: Partition): boolean {
  return !/^(DOWN|INACTIVE)/.test(state);
}

export function noQueue(queue: string): BatchError {
  return new BatchError('no-queue', `Slurm has no partition ${JSON.stringify(queue)}`, {
    hint: 'correct QUEUE_NAME or create the partition in slurm.conf',
  });
}
