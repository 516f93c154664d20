/**
 * bench/plan: the planner alone: pending jobs times hosts. `node bench/plan.ts [--rounds 7] [--json FILE]`.
 * For one core: `taskset -c 0 node ...`.
 */
import { parseArgs } from 'node:util';
import { plan } from '../src/planner/plan.ts';
import { job, POOL, snapshot } from '../src/planner/snapshot.fixture.ts';
import { inOwnProcess, median, mostMemory, printRows, ratio } from './figures.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'string' },
    rounds: { type: 'string', default: '7' },
    row: { type: 'boolean', default: false },
  },
});

interface Row {
  readonly jobs: number;
  readonly hosts: number;
  /** CPU time, mean. */
  readonly ms: number;
  /** By the clock on the wall, median: longer when the machine has other work. */
  readonly wallMs: number;
  readonly memoryMB: number;
  /**
   * ms for a million of (jobs + hosts) x log2(hosts): it stays level when the planner grows no faster than that. Each
   * host has to be looked at once, so that with few jobs the hosts count.
   */
  readonly perUnit: number;
}

/** What a plan may take for the largest case. */
const MOST = { ms: 250, memoryMB: 300 };

if (values.row) process.stdout.write(JSON.stringify(measure(Number(positionals[0]), Number(positionals[1]))));
else {
  const sizes = [1000, 10_000, 100_000].flatMap((jobs) => [100, 1000, 5000].map((hosts) => [jobs, hosts]));
  const rows = sizes.map((size) =>
    inOwnProcess<Row>(import.meta.filename, '--rounds', values.rounds, ...size.map(String)),
  );
  printRows(
    'plan: one plan, with all pending jobs placed anew; each row in a process of its own',
    [
      { head: 'jobs', of: ({ jobs }) => String(jobs) },
      { head: 'hosts', of: ({ hosts }) => String(hosts) },
      { head: 'CPU', of: ({ ms }) => `${ms.toFixed(1)} ms` },
      { head: `of ${MOST.ms} ms`, of: ({ ms }) => ratio(ms, MOST.ms) },
      { head: 'wall', of: ({ wallMs }) => `${wallMs.toFixed(1)} ms` },
      { head: 'memory', of: ({ memoryMB }) => `${memoryMB.toFixed(0)} MB` },
      { head: `of ${MOST.memoryMB} MB`, of: ({ memoryMB }) => ratio(memoryMB, MOST.memoryMB) },
      { head: 'per 10^6 (jobs + hosts) x log2(hosts)', of: ({ perUnit }) => `${perUnit.toFixed(0)} ms` },
      { head: 'of the first row', of: ({ perUnit }) => ratio(perUnit, rows[0]?.perUnit ?? perUnit) },
    ],
    rows,
    values.json,
  );
}

function measure(jobs: number, hosts: number): Row {
  const pool = {
    ...POOL,
    hosts: Array.from({ length: hosts }, (_, i) => ({
      name: `c${i}`,
      ip: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`,
    })),
    limits: { minNodes: 0, maxNodes: hosts, maxStarting: hosts },
  };
  // A mixed queue: sizes, memory, whole nodes, a few wide jobs; the same every time.
  const waiting = Array.from({ length: jobs }, (_, i) =>
    job({
      id: String(i),
      priority: jobs - i,
      ask: {
        nodes: i % 97 === 0 ? 8 : 1,
        cpus: (i % 4) + 1,
        cpusPerNode: (i % 4) + 1,
        memoryMiB: (i % 7) * 500,
        exclusive: i % 11 === 0,
      },
    }),
  );
  const s = snapshot({}, waiting, { pool });
  const times: number[] = [];
  const rounds = Number(values.rounds);
  const used = process.cpuUsage();
  // Small ones are repeated until they run as fast as in a service that has been up for a while.
  for (let round = 0, begin = performance.now(); round < rounds || performance.now() - begin < 1000; round++) {
    const start = performance.now();
    plan(s);
    times.push(performance.now() - start);
  }
  // All threads of the process, garbage collection too, as on one core, whatever else the machine does. The kernel
  // counts in ticks, hence the mean.
  const { user, system } = process.cpuUsage(used);
  const ms = (user + system) / 1000 / times.length;
  return {
    jobs,
    hosts,
    ms,
    wallMs: median(times),
    memoryMB: mostMemory(),
    perUnit: (ms / ((jobs + hosts) * Math.log2(hosts))) * 1e6,
  };
}
