// time limit: 900 s
/**
 * `hybrid-cloud simulate` as an administrator uses it, and what it must show on logs of real machines. The logs are
 * not part of the project: they lie beside it, or these tests do not apply.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '../src/lib/run.ts';
import type { BucketOptions } from '../src/sim/bucket.ts';
import { burst, workload } from '../src/sim/fixtures/synthetic.ts';
import type { SimJob } from '../src/sim/job.ts';
import { type ReplayOptions, replay } from '../src/sim/replay.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const main = join(root, 'src/main.ts');
const TRACES = [
  { name: 'KTH-SP2-1996.swf.gz', hosts: 100, month: ['60 60', '300 1800'] },
  { name: 'NASA-iPSC-1993.swf.gz', hosts: 128, month: ['60 600', '300 300'] },
].map((trace) => ({ ...trace, path: join(root, '../shared/traces', trace.name) }));
/**
 * The whole logs, with all boot and idle times, take twelve minutes of one core: `SIMULATE_FULL=1` replays them. Else a
 * month of each, with both boot times and one idle time for each: the idle times are another set for each log.
 */
const FULL = process.env.SIMULATE_FULL === '1';
const lacking = (path: string) => (existsSync(path) ? false : `not applicable: ${path} is not there`);

interface Figures {
  readonly waitSeconds: { readonly mean: number; readonly p95: number; readonly max: number };
  readonly nodeMs: { readonly work: number; readonly boot: number; readonly idle: number; readonly total: number };
  readonly boots: number;
  readonly cost: number | null;
  readonly peakNodes: number;
}
interface Case extends Figures {
  readonly policy: string;
  readonly bootSeconds: number;
  readonly idleSeconds: number;
  readonly addedMeanWaitSeconds: number;
}
interface Report {
  readonly log: {
    readonly jobs: number;
    readonly leftOut: Readonly<Record<string, number>>;
    readonly unreadable: number;
  };
  readonly pool: { readonly hosts: number; readonly cpusPerHost: number };
  readonly alwaysOn: Figures;
  readonly bounds: readonly {
    readonly bootSeconds: number;
    readonly foresightNodeMs: number;
    readonly floorNodeMs: number;
  }[];
  readonly cases: readonly Case[];
}

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hc-simulate-'));
});
after(() => rm(folder, { recursive: true, force: true }));

const simulate = (...args: readonly string[]) =>
  run([process.execPath, '--disable-warning=ExperimentalWarning', main, 'simulate', ...args], { timeout: 2_000_000 });

async function report(...args: readonly string[]): Promise<Report> {
  const result = await simulate(...args, '--json');
  assert.equal(result.code, 0, result.stderr);
  return JSON.parse(result.stdout) as Report;
}

function addsUp({ nodeMs }: Figures): void {
  for (const value of Object.values(nodeMs)) assert.ok(Number.isSafeInteger(value) && value >= 0);
  assert.equal(nodeMs.work + nodeMs.boot + nodeMs.idle, nodeMs.total);
}

/** A small log as Slurm writes it. */
async function sacctLog(jobs: readonly SimJob[]): Promise<string> {
  const two = (n: number) => String(n).padStart(2, '0');
  const time = (ms: number) => new Date(ms).toISOString().slice(0, 19);
  const lines = jobs.map(({ id, submit, run: ran, limit, nodes }) => {
    const s = ran / 1000;
    const elapsed = `${two(Math.floor(s / 3600))}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
    const most = `${two(Math.floor(limit / 3_600_000))}:${two(Math.floor(limit / 60_000) % 60)}:00`;
    return [
      id,
      time(submit),
      time(submit),
      time(submit + ran),
      elapsed,
      nodes,
      4 * nodes,
      '',
      most,
      'COMPLETED',
      'cloud',
    ].join('|');
  });
  const path = join(folder, `sacct-${jobs.length}.txt`);
  const head = 'JobID|Submit|Start|End|Elapsed|NNodes|NCPUS|ReqMem|Timelimit|State|Partition';
  await writeFile(path, `${[head, ...lines, '999999|nonsense|||||||||'].join('\n')}\n`);
  return path;
}

test('a log of Slurm: a table in which the columns add up, and a report that needs nothing else', async () => {
  const log = await sacctLog(workload(120, 8));
  const html = join(folder, 'report.html');
  const result = await simulate(
    log,
    '--hosts',
    '8',
    '--cpus-per-host',
    '4',
    '--boot',
    '60,300',
    '--price',
    '0.5',
    '--html',
    html,
  );
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stdout, /^120 jobs of sacct-120\.txt \(sacct\), submitted .* on 8 hosts with 4 CPUs$/m);
  assert.match(result.stdout, /^1 record could not be read:\n {2}.*:122: /m);
  const rows = [...result.stdout.matchAll(/^(always on|demand|classic) .*$/gm)].map(([row]) => row);
  assert.equal(rows.length, 5);
  for (const row of rows) {
    const [total = 0, work = 0, boot = 0, idle = 0] = [...row.matchAll(/([\d,]+\.\d)(?= )(?! %)/g)]
      .map(([, text]) => Math.round(Number(text?.replaceAll(',', '')) * 10))
      .slice(-4);
    assert.equal(work + boot + idle, total, row);
  }
  assert.equal([...result.stdout.matchAll(/^least, /gm)].length, 4);
  const page = await readFile(html, 'utf8');
  assert.match(page, /^<!doctype html>/);
  assert.match(page, /prefers-color-scheme: dark/);
  assert.equal(page.match(/<svg /g)?.length, page.match(/<\/svg>/g)?.length);
  assert.ok((page.match(/<svg /g)?.length ?? 0) >= 3 + 2 * 5);
  assert.doesNotMatch(page, /NaN|Infinity|undefined|<script|https?:|src=|@import/);
});

test('the same seed gives the same bytes, on one core and on several', async () => {
  const log = await sacctLog(workload(100, 6));
  const page = (n: number) => join(folder, `same-${n}.html`);
  const args = [
    '--hosts',
    '6',
    '--cpus-per-host',
    '4',
    '--boot',
    '60',
    '--boot-spread',
    '30',
    '--idle',
    '60,600',
    '--json',
  ];
  const outputs: string[] = [];
  for (const [n, threads] of ['1', '1', '3'].entries()) {
    const result = await simulate(log, ...args, '--threads', threads, '--html', page(n));
    assert.equal(result.code, 0, result.stderr);
    outputs.push(result.stdout + (await readFile(page(n), 'utf8')));
  }
  assert.equal(outputs[1], outputs[0]);
  assert.equal(outputs[2], outputs[0]);
  const other = await simulate(log, ...args, '--seed', '2');
  assert.notEqual(outputs[0]?.startsWith(other.stdout), true);
});

describe('wrong use is told, with exit code 2; a log that cannot be used, with 1', () => {
  const cases: readonly [string, readonly string[], number, RegExp][] = [
    ['no number of hosts', [], 2, /^error: the log does not say how many hosts there are: give --hosts/],
    [
      'nothing left',
      ['--hosts', '8', '--queue', 'gpu'],
      2,
      /^error: no job of 30 is left to replay: look at --from, --days, --queue/,
    ],
    ['an unknown policy', ['--hosts', '8', '--policy', 'lazy'], 2, /demand, classic or both are expected/],
    ['no number', ['--hosts', 'many'], 2, /A whole number from 1/],
    [
      'a report where none can be',
      ['--hosts', '8', '--cpus-per-host', '4', '--html', '/nowhere/at/all.html'],
      1,
      /^error: ENOENT/,
    ],
  ];
  for (const [title, args, code, text] of cases) {
    test(title, async () => {
      const result = await simulate(await sacctLog(workload(30, 8)), ...args);
      assert.equal(result.code, code, result.stderr);
      assert.match(result.stderr, text);
      assert.equal(result.stdout, '');
    });
  }
  test('no log', async () => {
    const result = await simulate(join(folder, 'missing'), '--hosts', '8');
    assert.equal(result.code, 1);
    assert.match(result.stderr, /^error: .*missing: ENOENT/);
  });
});

for (const { name, hosts, path, month } of TRACES) {
  const skip = lacking(path);
  describe(`on ${name}`, { skip }, () => {
    const reports: Report[] = [];
    before(async () => {
      if (FULL) reports.push(await report(path, '--boot', '60,300', '--idle', '60,300,600,1800'));
      else {
        const parts = month.map((times) => times.split(' '));
        for (const [boot = '', idle = ''] of parts)
          reports.push(await report(path, '--boot', boot, '--idle', idle, '--days', '30'));
      }
    });

    test('all jobs are read and the pool is the machine of the log', () => {
      for (const told of reports) {
        assert.equal(told.log.unreadable, 0);
        assert.deepEqual(told.pool, { hosts, cpusPerHost: 1, memoryMiBPerHost: 0 });
      }
      const cases = reports.flatMap((told) => told.cases);
      assert.equal(cases.length, FULL ? 16 : 4);
      assert.deepEqual(new Set(cases.map(({ bootSeconds }) => bootSeconds)), new Set([60, 300]));
    });

    test('node-hours are work, boot and idle tail, and nothing else', () => {
      for (const { alwaysOn, cases } of reports) {
        for (const one of [alwaysOn, ...cases]) {
          addsUp(one);
          assert.equal(one.nodeMs.work, alwaysOn.nodeMs.work, 'the work is the same under every policy');
        }
      }
    });

    test('demand uses fewer node-hours than classic and than the pool that is always on, and never less than possible', () => {
      for (const told of reports)
        for (const one of told.cases.filter(({ policy }) => policy === 'demand')) {
          const classic = told.cases.find(
            (other) =>
              other.policy === 'classic' &&
              other.bootSeconds === one.bootSeconds &&
              other.idleSeconds === one.idleSeconds,
          );
          assert.ok(classic !== undefined && one.nodeMs.total < classic.nodeMs.total);
          assert.ok(one.nodeMs.total < told.alwaysOn.nodeMs.total);
          const bound = told.bounds.find(({ bootSeconds }) => bootSeconds === one.bootSeconds);
          assert.ok(
            bound !== undefined && bound.floorNodeMs <= one.nodeMs.total && bound.floorNodeMs <= bound.foresightNodeMs,
          );
        }
    });

    test('demand adds at most 1.2 boot times to the mean wait', () => {
      const cases = reports.flatMap((told) => told.cases);
      for (const { policy, bootSeconds, idleSeconds, addedMeanWaitSeconds } of cases) {
        if (policy !== 'demand') continue;
        assert.ok(
          addedMeanWaitSeconds <= 1.2 * bootSeconds,
          `boot ${bootSeconds} s, idle ${idleSeconds} s: ${addedMeanWaitSeconds} s more`,
        );
      }
    });
  });
}

const [kth] = TRACES;
test('replaying 28,489 jobs takes under 60 s of one core and under 500 MB', {
  skip: FULL ? lacking(kth?.path ?? '') : 'not applicable: a figure, not a rule; SIMULATE_FULL=1 checks it',
}, async () => {
  const json = join(folder, 'replay.json');
  const result = await run([process.execPath, join(root, 'bench/replay.ts'), kth?.path ?? '', '--json', json], {
    timeout: 600_000,
  });
  assert.equal(result.code, 0, result.stderr);
  const { figures } = JSON.parse(await readFile(json, 'utf8')) as {
    figures: readonly { what: string; value: number }[];
  };
  const of = (what: string) => figures.find((figure) => figure.what === what)?.value ?? Number.NaN;
  // The core's own time: what else the machine does meanwhile is not the replay's doing.
  assert.ok(of('CPU') < 60, `${of('CPU')} s`);
  assert.ok(of('memory (most resident)') < 500, `${of('memory (most resident)')} MB`);
});

const SECOND = 1000;
const HOUR = 3_600_000;

function poolOf(
  hosts: number,
  more: Partial<ReplayOptions> & Pick<ReplayOptions, 'jobs'>,
): Promise<{ readonly waits: Float64Array }> {
  return replay({
    shape: { hosts, cpus: 1, memoryMiB: 0 },
    policy: 'demand',
    boot: 300 * SECOND,
    bootSpread: 0,
    idle: 600 * SECOND,
    poll: 5 * SECOND,
    stop: 0,
    billingUnit: 1,
    bucket: null,
    seed: 1,
    ...more,
  });
}

/** Seconds from the submission until `n` hosts work; the jobs are so long that none ends before. */
const untilWorking = ({ waits }: { readonly waits: Float64Array }, n: number) =>
  (waits.toSorted()[n - 1] ?? Number.NaN) / SECOND;

for (const boot of [60, 300]) {
  test(`500 one-node jobs at once on 100 hosts, boot ${boot} s: all hosts work within 1.1 boot times, classic takes a hundred`, async () => {
    for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const demand = await poolOf(100, { jobs: burst(500, 20 * HOUR), boot: boot * SECOND, seed });
      // A look every five seconds comes on top: nobody told the service that jobs were coming.
      const took = untilWorking(demand, 100);
      assert.ok(took <= 1.1 * boot, `seed ${seed}: ${took} s`);
    }
    const classic = await poolOf(100, { jobs: burst(500, 100 * HOUR), boot: boot * SECOND, policy: 'classic' });
    assert.ok(untilWorking(classic, 100) >= 100 * boot);
  });
}

/** What a cloud with such a limit allows when it is asked at once, seconds: the last of 1,000 machines runs. */
function curve(boot: number, bucket: BucketOptions): number {
  // The service is awake for a minute before the jobs come, and the cloud's bucket fills up meanwhile.
  const there = Math.min(bucket.burst, (bucket.filled ?? bucket.burst) + 60 * bucket.perSecond);
  return boot + Math.max(0, 1000 - there) / bucket.perSecond;
}

describe('1,000 hosts behind a cloud that accepts a burst and then so many per second', () => {
  const clouds: readonly BucketOptions[] = [
    { burst: 1000, perSecond: 2 },
    { burst: 1000, perSecond: 2, filled: 400 },
    { burst: 200, perSecond: 2 },
    { burst: 200, perSecond: 10 },
  ];
  for (const bucket of clouds) {
    for (const boot of [60, 300]) {
      const filled = bucket.filled === undefined ? '' : `, ${bucket.filled} left of it`;
      test(`a burst of ${bucket.burst}${filled}, then ${bucket.perSecond} per second, boot ${boot} s: the last node comes within 5 % of that curve`, async () => {
        const most = 1.05 * curve(boot, bucket);
        const jobs = burst(1000, 20 * HOUR);
        // With a submit hook, from the submission; without one, from the first look, at most POLL_INTERVAL later.
        for (const hook of curve(boot, bucket) < 200 ? [true, false] : [true]) {
          const took = untilWorking(await poolOf(1000, { jobs, boot: boot * SECOND, bucket, hook }), 1000);
          const late = hook ? 0 : 5;
          assert.ok(took <= most + late, `${hook ? 'with' : 'without'} a hook ${took} s, at most ${most} s`);
        }
      });
    }
  }
});
