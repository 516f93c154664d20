/**
 * `./hybrid-cloud lab`: the main job on one machine, and nothing left behind, however it ends.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { labSkip, until } from './support/lab.ts';

const skip = labSkip();
const LAUNCHER = join(import.meta.dirname, '../hybrid-cloud');

interface LabRun {
  readonly pid: number;
  readonly out: () => string;
  readonly err: () => string;
  readonly ended: Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
}

function lab(name: string, net: string, port: number, ...args: string[]): LabRun {
  const child = spawn(LAUNCHER, ['lab', ...args], {
    env: { ...process.env, LAB_NAME: name, LAB_NET: net, LAB_PORT_BASE: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => {
    out += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    err += String(chunk);
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', (code) => resolve(code)));
  return { pid: child.pid ?? 0, out: () => out, err: () => err, ended, kill: (signal) => void child.kill(signal) };
}

/** What of this lab is on the machine: its folder, devices, mounts, and processes that carry its mark. */
function leftovers(name: string): string[] {
  const dir = `/var/tmp/hybrid-cloud-${name}`;
  const found: string[] = [];
  if (existsSync(dir)) found.push(dir);
  for (const device of readdirSync('/sys/class/net'))
    if (device.startsWith(`hc-${name}`)) found.push(`device ${device}`);
  if (readFileSync('/proc/self/mountinfo', 'utf8').includes(dir)) found.push('a mount');
  for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      if (readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`HYBRID_CLOUD_LAB=${dir}\0`))
        found.push(`process ${pid}`);
    } catch {
      // it has ended meanwhile, or is a kernel thread
    }
  }
  return found;
}

test('lab --once runs its sample to the end, says what happened, and leaves nothing behind', {
  skip,
  timeout: 280_000,
}, async () => {
  const run = lab('tonce', '10.88.1', 22500, '--once', '--json');
  assert.equal(await run.ended, 0, run.err());
  const report = JSON.parse(run.out()) as {
    ok: boolean;
    jobs: unknown[];
    nodes: unknown[];
    checks: { ok: boolean; text: string }[];
  };
  assert.equal(report.ok, true);
  assert.ok(report.jobs.length >= 8, `${report.jobs.length} jobs`);
  assert.equal(report.nodes.length, 4);
  assert.deepEqual(
    report.checks.filter((check) => !check.ok),
    [],
  );
  assert.deepEqual(leftovers('tonce'), []);
});

test('Ctrl-C in the middle takes everything down', { skip, timeout: 120_000 }, async () => {
  const run = lab('tctrlc', '10.88.2', 22510, '--once');
  await until('a node is ready', () => /c1 ready/.test(run.err()), 90);
  run.kill('SIGINT');
  assert.equal(await run.ended, 130, run.err());
  assert.deepEqual(leftovers('tctrlc'), []);
});

test('after kill -9 `lab down` takes everything down', { skip, timeout: 120_000 }, async () => {
  const run = lab('tkill', '10.88.3', 22520, '--once');
  await until('a node is ready', () => /c1 ready/.test(run.err()), 90);
  run.kill('SIGKILL');
  await run.ended;
  assert.notDeepEqual(leftovers('tkill'), []);
  assert.equal(await lab('tkill', '10.88.3', 22520, 'down').ended, 0);
  assert.deepEqual(leftovers('tkill'), []);
});
