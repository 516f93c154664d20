/**
 * bench/load: what the service itself costs with many pending jobs in a real Slurm: CPU per look (besides the
 * scheduler's own), memory, and CPU when nothing happens. `node bench/load.ts [--jobs 10000] [--json FILE]`, as root.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Lab, startLab, until } from '../test/support/lab.ts';
import { printFigures, withClosing } from './figures.ts';

const { values } = parseArgs({
  options: { jobs: { type: 'string', default: '10000' }, json: { type: 'string' } },
});
const jobs = Number(values.jobs);
const WINDOW = 40;

await withClosing(async (closing) => {
  const lab = await startLab(closing, {
    name: 'load',
    net: '10.85.2',
    portBase: 25010,
    // No node may come: the jobs stay pending, and every look weighs all of them.
    settings: { POLL_INTERVAL: 5, MAX_NODES: 0 },
  });
  const service = await lab.start();
  await until('it has looked', async () => (await lab.status()).tally !== null, 20);
  await sleep(5000);
  const idle = await measure(lab, service.pid);
  const script = `i=0; while [ $i -lt ${Math.ceil(jobs / 4)} ]; do sbatch -p cloud -n1 -o /dev/null --wrap true >/dev/null || exit 1; i=$((i+1)); done`;
  await Promise.all([1, 2, 3, 4].map(() => lab.slurm('sh', '-c', script)));
  await until('the service sees all', async () => (await lab.status()).waiting >= jobs, 120);
  const loaded = await measure(lab, service.pid);
  printFigures(
    `load: ${(await lab.status()).waiting} pending jobs, POLL_INTERVAL 5 s, over ${WINDOW} s each`,
    [
      { what: 'CPU of the service without jobs', value: idle.cpu * 100, unit: '%' },
      { what: 'CPU per look without jobs', value: idle.perLook, unit: 'ms' },
      {
        what: 'CPU per look with all jobs',
        value: loaded.perLook,
        unit: 'ms',
        against: { value: idle.perLook, what: 'without jobs' },
      },
      { what: 'CPU of the service with all jobs', value: loaded.cpu * 100, unit: '%' },
      { what: 'memory (resident) without jobs', value: idle.rss, unit: 'MiB' },
      {
        what: 'memory (resident) with all jobs',
        value: loaded.rss,
        unit: 'MiB',
        against: { value: idle.rss, what: 'without jobs' },
      },
    ],
    values.json,
  );
});

async function measure(lab: Lab, pid: number): Promise<{ cpu: number; perLook: number; rss: number }> {
  const before = cpuMs(pid);
  const from = performance.now();
  let looks = 0;
  let last = (await lab.status()).batch.lastGoodAt;
  while (performance.now() - from < WINDOW * 1000) {
    await sleep(1000);
    const { lastGoodAt } = (await lab.status()).batch;
    if (lastGoodAt !== last) looks++;
    last = lastGoodAt;
  }
  const used = cpuMs(pid) - before;
  return { cpu: used / (performance.now() - from), perLook: used / Math.max(1, looks), rss: rssMiB(pid) };
}

/** User and system time of the process itself, without its children, ms. */
function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function rssMiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}
