/**
 * How little any policy could use. Both bounds hold for every policy, also for one that knows the future, since every
 * machine has to boot once before it works:
 *
 * - `floor`: the work, and one boot for each host of the widest job. No policy can use less, however long its jobs
 *   wait (it would let them wait until everything runs through on as few machines as possible).
 * - `foresight`: every job starts exactly when it does on the pool that is always on, so no job waits longer; machines
 *   boot just in time, and between two uses a machine stays on exactly when that is cheaper than a new boot. Policies
 *   that let jobs wait may use less than this, never less than `floor`.
 */
import type { Shape, SimJob } from './job.ts';

export interface Bounds {
  /** ms of machines, whole numbers. */
  readonly floor: number;
  readonly foresight: number;
}

/** @param starts epoch ms at which each job starts on the pool that is always on, by its number */
export function bounds(jobs: readonly SimJob[], starts: Float64Array, shape: Shape, boot: number): Bounds {
  return { floor: floor(jobs, shape, boot), foresight: foresight(jobs, starts, shape, boot) };
}

function floor(jobs: readonly SimJob[], shape: Shape, boot: number): number {
  let byCpus = 0;
  let byMemory = 0;
  let widest = 0;
  for (const job of jobs) {
    byCpus += job.run * job.nodes * job.cpus;
    byMemory += job.run * job.nodes * job.memoryMiB;
    widest = Math.max(widest, job.nodes);
  }
  const work = Math.max(byCpus / shape.cpus, shape.memoryMiB === 0 ? 0 : byMemory / shape.memoryMiB);
  return Math.ceil(work) + widest * boot;
}

/**
 * The hosts that are needed over time form a hill of layers: layer n is needed while at least n hosts are. Layers are
 * independent of each other (one is never needed without those below it), and each is cheapest when every gap in it
 * costs the smaller of its length and a boot.
 */
function foresight(jobs: readonly SimJob[], starts: Float64Array, shape: Shape, boot: number): number {
  const changes: { at: number; job: SimJob; sign: 1 | -1 }[] = [];
  for (const job of jobs) {
    const at = starts[job.number] ?? 0;
    changes.push({ at, job, sign: 1 }, { at: at + job.run, job, sign: -1 });
  }
  changes.sort((a, b) => a.at - b.at || a.sign - b.sign);
  const load = makeLoad(shape);
  /** When each layer was last needed. */
  const until = new Float64Array(shape.hosts + 1).fill(Number.NEGATIVE_INFINITY);
  let total = 0;
  let needed = 0;
  let last = 0;
  for (const [index, { at, job, sign }] of changes.entries()) {
    load.change(job, sign);
    if (changes[index + 1]?.at === at) continue;
    const now = Math.min(shape.hosts, load.hosts());
    total += needed * (at - last);
    for (let layer = needed + 1; layer <= now; layer++) total += Math.min(boot, at - (until[layer] ?? 0));
    for (let layer = now + 1; layer <= needed; layer++) until[layer] = at;
    needed = now;
    last = at;
  }
  return total;
}

/** The least hosts that can hold what runs, however it is packed. */
function makeLoad(shape: Shape) {
  const widths = new Int32Array(shape.hosts + 1);
  let cpus = 0;
  let memory = 0;
  let widest = 0;
  return {
    change(job: SimJob, sign: 1 | -1): void {
      cpus += sign * job.nodes * job.cpus;
      memory += sign * job.nodes * job.memoryMiB;
      widths[job.nodes] = (widths[job.nodes] ?? 0) + sign;
      widest = Math.max(widest, job.nodes);
      while (widest > 0 && widths[widest] === 0) widest--;
    },
    hosts(): number {
      const byMemory = shape.memoryMiB === 0 ? 0 : Math.ceil(memory / shape.memoryMiB);
      return Math.max(widest, Math.ceil(cpus / shape.cpus), byMemory);
    },
  };
}
