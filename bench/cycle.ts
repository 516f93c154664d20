/**
 * bench/cycle: a whole look of the service on what Slurm really prints: records of `scontrol show node` and `squeue` that
 * were recorded from Slurm 22.05, as often as there are hosts and jobs. Everything is real but the scheduler's commands and
 * the cloud: the Slurm adapter reads, the controller makes its snapshot, the planner plans, SQLite keeps the state.
 * `node bench/cycle.ts [--rounds 7] [--json FILE]`.
 */
import { parseArgs } from 'node:util';
import { fixture, toResult } from '../src/batch/slurm/fixtures/replay.ts';
import { makeSlurm } from '../src/batch/slurm/slurm.ts';
import { fakeBootstrap } from '../src/bootstrap/fake.ts';
import { fakeCloud } from '../src/cloud/fake.ts';
import { makeController } from '../src/controller/controller.ts';
import { systemClock } from '../src/lib/clock.ts';
import { quietLog } from '../src/lib/log.ts';
import type { Run } from '../src/lib/run.ts';
import { POOL } from '../src/planner/snapshot.fixture.ts';
import { memoryDatabase } from '../src/store/open.ts';
import { sqliteStore } from '../src/store/sqlite.ts';
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
  /** What the two commands print, MB. */
  readonly outputMB: number;
  /** The whole look, without the time the commands take. */
  readonly ms: number;
  /** Of that, what it takes to read the commands' output. */
  readonly readMs: number;
  readonly memoryMB: number;
}

const POLL = 5000;

if (values.row) process.stdout.write(JSON.stringify(await measure(Number(positionals[0]), Number(positionals[1]))));
else {
  const sizes = [1000, 10_000, 100_000].flatMap((jobs) => [100, 1000, 5000].map((hosts) => [jobs, hosts]));
  const rows = sizes.map((size) =>
    inOwnProcess<Row>(import.meta.filename, '--rounds', values.rounds, ...size.map(String)),
  );
  printRows(
    'cycle: one look on recorded output of Slurm 22.05; half of the hosts work, all jobs wait; each row in a process of its own',
    [
      { head: 'jobs', of: ({ jobs }) => String(jobs) },
      { head: 'hosts', of: ({ hosts }) => String(hosts) },
      { head: 'output', of: ({ outputMB }) => `${outputMB.toFixed(1)} MB` },
      { head: 'look (median)', of: ({ ms }) => `${ms.toFixed(1)} ms` },
      { head: 'of POLL_INTERVAL', of: ({ ms }) => ratio(ms, POLL) },
      { head: 'reading', of: ({ readMs }) => `${readMs.toFixed(1)} ms` },
      { head: 'of the look', of: ({ ms, readMs }) => ratio(readMs, ms) },
      { head: 'memory', of: ({ memoryMB }) => `${memoryMB.toFixed(0)} MB` },
      { head: 'per job', of: ({ ms, jobs }) => `${((ms / jobs) * 1000).toFixed(1)} us` },
    ],
    rows,
    values.json,
  );
}

async function measure(jobs: number, hosts: number): Promise<Row> {
  const working = hosts >> 1;
  const pool = {
    ...POOL,
    hosts: Array.from({ length: hosts }, (_, i) => ({
      name: `c${i + 1}`,
      ip: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`,
    })),
    // All that may be there is there: every look weighs all jobs, and none is served.
    limits: { minNodes: 0, maxNodes: working, maxStarting: hosts },
  };
  const nodes = nodeText(hosts, working);
  const waiting = jobText(jobs);
  let away = 0;
  const run: Run = async (command) => {
    const from = performance.now();
    const line = command.join(' ');
    const answer = answerTo(line, nodes, waiting);
    away += performance.now() - from;
    return toResult(command, answer);
  };
  const clock = systemClock;
  const batch = makeSlurm({ prefix: [], timeout: 30_000 }, { run, clock, log: quietLog });
  const cloud = fakeCloud({ clock });
  await cloud.create(pool.hosts.slice(0, working).map((host) => ({ ...host, lease: `hc-${host.name}` })));
  await using controller = makeController({
    pool,
    batch,
    clouds: [{ name: 'cloud', cloud }],
    bootstrap: fakeBootstrap({ clock }),
    store: sqliteStore(memoryDatabase()),
    clock,
    log: quietLog,
    pollInterval: POLL,
    version: 'bench',
    pid: 1,
  });
  const never = new AbortController().signal;
  const names = pool.hosts.map(({ name }) => name);
  const timed = async (work: () => Promise<unknown>) => {
    away = 0;
    const from = performance.now();
    await work();
    return performance.now() - from - away;
  };
  // The first looks take over what is there.
  for (let i = 0; i < 3; i++) await controller.look(never);
  const status = controller.control.status();
  if (status.waiting !== jobs || (status.hosts.ready ?? 0) !== working)
    throw new Error(`not as meant: ${status.waiting} jobs wait, ${JSON.stringify(status.hosts)}`);
  const looks: number[] = [];
  const reads: number[] = [];
  const rounds = Number(values.rounds);
  for (let round = 0, begin = performance.now(); round < rounds || performance.now() - begin < 1000; round++) {
    looks.push(await timed(() => controller.look(never)));
    reads.push(await timed(() => batch.getStatus(pool.queue, names)));
  }
  const outputMB = (nodes.length + waiting.length) / 1e6;
  return { jobs, hosts, outputMB, ms: median(looks), readMs: median(reads), memoryMB: mostMemory() };
}

function answerTo(line: string, nodes: string, waiting: string): string {
  if (line.includes('show node')) return nodes;
  if (line.includes('show config')) return 'SelectTypeParameters    = CR_CORE_MEMORY\n';
  if (!line.includes('--noheader')) return '';
  const mark = (letter: string): string => new RegExp(`_${letter}[0-9a-f]{12}`).exec(line)?.[0] ?? '';
  return waiting.replaceAll('_S_', mark('s')).replaceAll('_E_', mark('e'));
}

/** The first ones are allocated, the others wait closed, with our mark, for a machine. */
function nodeText(hosts: number, working: number): string {
  const record = (file: string, host: string) =>
    fixture(file)
      .split('\n')
      .find((line) => line.startsWith(`NodeName=${host} `)) ?? '';
  const busy = record('22.05/nodes-with-jobs.txt', 'c1');
  const closed = record('22.05/nodes-drained-before-birth.txt', 'c1');
  const named = (text: string, name: string) =>
    text.replace('NodeName=c1 ', `NodeName=${name} `).replace('NodeHostName=c1 ', `NodeHostName=${name} `);
  return `${Array.from({ length: hosts }, (_, i) => named(i < working ? busy : closed, `c${i + 1}`)).join('\n')}\n`;
}

/** Recorded waiting jobs that ask for plain CPUs, again and again, each with a number of its own. */
function jobText(jobs: number): string {
  const plain = fixture('22.05/jobs-mixed.long.txt')
    .split('\n')
    .filter((line) => /_S_gres none_E_$/.test(line));
  return `${Array.from({ length: jobs }, (_, i) => {
    const line = plain[i % plain.length] ?? '';
    const id = String(i + 1);
    return line.replace('_S_4_S_4_S_4_S_', `_S_${id}_S_${id}_S_${id}_S_`);
  }).join('\n')}\n`;
}
