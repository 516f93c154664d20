/**
 * bench/plan: the planner alone, on one core: pending jobs times hosts. `node bench/plan.ts [--json]`.
 */
import { parseArgs } from 'node:util';
import { plan } from '../src/planner/plan.ts';
import { job, POOL, snapshot } from '../src/planner/snapshot.fixture.ts';

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, rounds: { type: 'string', default: '7' } },
});

interface Row {
  readonly jobs: number;
  readonly hosts: number;
  readonly ms: number;
  readonly heapMiB: number;
  /** ms for a million of jobs x log2(hosts): it stays level when the planner grows no faster than that. */
  readonly perUnit: number;
}

const rows: Row[] = [];
for (const jobs of [1000, 10_000, 100_000]) {
  for (const hosts of [100, 1000, 5000]) rows.push(measure(jobs, hosts));
}
if (values.json) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
else {
  process.stdout.write('    jobs   hosts   plan (median)   heap used   per 10^6 jobs x log2(hosts)\n');
  for (const row of rows) {
    process.stdout.write(
      `${String(row.jobs).padStart(8)}${String(row.hosts).padStart(8)}${row.ms.toFixed(1).padStart(13)} ms${row.heapMiB.toFixed(0).padStart(8)} MiB${row.perUnit.toFixed(1).padStart(21)} ms\n`,
    );
  }
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
  for (let round = 0; round < Number(values.rounds); round++) {
    const start = performance.now();
    plan(s);
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const ms = times[times.length >> 1] ?? 0;
  return {
    jobs,
    hosts,
    ms,
    heapMiB: process.memoryUsage().heapUsed / 1048576,
    perUnit: (ms / (jobs * Math.log2(hosts))) * 1e6,
  };
}
