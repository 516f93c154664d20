/**
 * `hybrid-cloud lab --simulated`: the service at work on any machine, by any user, and nothing left behind.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, chmodSync, constants, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '../src/lib/run.ts';
import { until } from './support/lab.ts';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const NODE = [process.execPath, '--disable-warning=ExperimentalWarning', main];
/** Short, since the path of a socket may not be long. */
const folder = mkdtempSync(join(tmpdir(), 'hc-sim-'));
chmodSync(folder, 0o777);
after(() => rmSync(folder, { recursive: true, force: true }));

const NOBODY = 65_534;
/** Root tries it as an ordinary user; where such a user cannot read the project, as itself. */
const asNobody = process.getuid?.() === 0 && [main, process.execPath].every(readableByAll);

function readableByAll(path: string): boolean {
  for (let at = dirname(path); ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false;
    if (at === dirname(at)) break;
  }
  accessSync(path, constants.R_OK);
  return (statSync(path).mode & 0o004) !== 0;
}

function lab(...args: readonly string[]) {
  const home = mkdtempSync(join(folder, 't-'));
  chmodSync(home, 0o777);
  const [command = '', ...words] = [...NODE, 'lab', '--simulated', ...args];
  const child: ChildProcess = spawn(command, words, {
    env: { ...process.env, TMPDIR: home, LAB_BOOT_TIME: '2', LAB_HOSTS: '4' },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(asNobody ? { uid: NOBODY, gid: NOBODY } : {}),
  });
  const said = { out: '', err: '' };
  child.stdout?.on('data', (chunk) => {
    said.out += String(chunk);
  });
  child.stderr?.on('data', (chunk) => {
    said.err += String(chunk);
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  return { child, home, said, ended };
}

const ask = async (socket: string, ...words: readonly string[]) => {
  const result = await run([...NODE, '--socket', socket, ...words], { timeout: 60_000 });
  assert.equal(result.code, 0, result.stderr);
  return result.stdout;
};

test('the sample runs to its end, the command line works meanwhile, and nothing is left behind', {
  timeout: 180_000,
}, async () => {
  const { said, ended, home } = lab('--once', '--json');
  await until('it works', async () => /ready/.test(said.err), 90);
  const socket = /--socket (\S+)/.exec(said.err)?.[1] ?? '';
  const [status, nodes, events] = await Promise.all([
    ask(socket, 'status', '--json'),
    ask(socket, 'nodes'),
    ask(socket, 'events'),
  ]);
  assert.equal(JSON.parse(status).queue, 'cloud');
  assert.match(nodes, /^c1 .*ready/m);
  assert.match(events, /c1: free -> starting: wanted by job/);

  assert.equal(await ended, 0, said.err);
  const report = JSON.parse(said.out) as {
    ok: boolean;
    jobs: readonly { name: string; state: string; waited: number | null; hosts: readonly string[] }[];
    nodes: readonly { createdAt: number; upAt: number; joinedAt: number; goneAt: number }[];
    checks: readonly { name: string; ok: boolean; seen: string }[];
  };
  assert.deepEqual(
    report.checks.filter(({ ok }) => !ok),
    [],
  );
  assert.equal(report.ok, true);
  assert.equal(report.jobs.filter(({ state }) => state === 'COMPLETED').length, 10);
  assert.ok(report.jobs.every(({ waited }) => waited === null || waited >= 2000));
  assert.equal(report.nodes.length, 4);
  for (const { createdAt, upAt, joinedAt, goneAt } of report.nodes)
    assert.ok(createdAt + 2000 <= upAt && upAt <= joinedAt && joinedAt < goneAt);
  assert.deepEqual(readdirSync(home), []);
});

test('without a terminal it says what happens; Ctrl-C ends it and leaves nothing behind', {
  timeout: 180_000,
}, async () => {
  const { child, said, ended, home } = lab();
  await until('a job was submitted and a node started', async () => /c1: free -> starting/.test(said.err), 90);
  assert.match(said.err, /submitted small-0/);
  assert.equal(readdirSync(home).length, 1);
  child.kill('SIGINT');
  assert.equal(await ended, 130, said.err);
  assert.deepEqual(readdirSync(home), []);
});
