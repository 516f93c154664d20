/**
 * The dead-man switch as it runs on a node, under sh, against a made-up /proc: what makes it stop the machine, and above
 * all what keeps it from doing so.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../lib/clock.ts';
import { quietLog } from '../lib/log.ts';
import type { Run } from '../lib/run.ts';
import { greetEvery, greeting, watcher } from './dead-man.ts';
import { makeScript } from './script.ts';
import { makeSshBootstrap } from './ssh.ts';

const C1 = { name: 'c1', ip: '10.0.0.1' };

interface Node {
  readonly dir: string;
  /** Puts a process into /proc. */
  process(pid: number, comm: string, more?: { uid?: number; parent?: number; cmdline?: string }): void;
  gone(pid: number): void;
  /** Starts the watcher: it stops the machine after 2 s of silence, looks each second, freezes for `pause` s. */
  watch(pause?: number): ChildProcess;
  greet(): Promise<void>;
  stopped(): boolean;
}

function node(t: TestContext): Node {
  const dir = mkdtempSync(join(tmpdir(), 'hc-dead-'));
  const children: ChildProcess[] = [];
  t.after(() => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  });
  const proc = join(dir, 'proc');
  mkdirSync(proc);
  const self: Node = {
    dir,
    process(pid, comm, { uid = 0, parent = 1, cmdline = comm } = {}) {
      const place = join(proc, String(pid));
      mkdirSync(place, { recursive: true });
      writeFileSync(join(place, 'cmdline'), `${cmdline.replaceAll(' ', '\0')}\0`);
      writeFileSync(join(place, 'status'), `Name:\t${comm}\nPPid:\t${parent}\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\n`);
      writeFileSync(join(place, 'comm'), `${comm}\n`);
    },
    gone: (pid) => rmSync(join(proc, String(pid)), { recursive: true }),
    watch(pause = 1) {
      const stop = `: >'${join(dir, 'stopped')}'`;
      const script = watcher(C1, 2000, { dir, step: 1, pause, proc, stop });
      writeFileSync(join(dir, 'dead-man'), script);
      const child = spawn('sh', ['-c', 'echo $$ >watcher && exec sh dead-man'], { cwd: dir, stdio: 'ignore' });
      children.push(child);
      return child;
    },
    greet: () =>
      new Promise((resolve) => spawn('sh', ['-c', greeting(dir)], { stdio: 'ignore' }).on('close', () => resolve())),
    stopped: () => existsSync(join(dir, 'stopped')),
  };
  self.process(1, 'init');
  return self;
}

async function until(what: string, check: () => boolean, seconds = 30): Promise<void> {
  for (const end = performance.now() + seconds * 1000; performance.now() < end; await sleep(50)) if (check()) return;
  assert.fail(`${what}: not within ${seconds} s`);
}

describe('the dead-man switch', { concurrency: true }, () => {
  test('a node without a job and without its service stops; what only looks like a job does not keep it', async (t) => {
    const n = node(t);
    n.process(50, 'slurmd');
    n.process(51, 'slurmstepd', { cmdline: '/usr/sbin/slurmstepd infinity' });
    n.process(52, 'munged', { uid: 114 });
    n.process(53, 'helper', { uid: 61184 });
    n.process(54, 'nobody', { uid: 65534 });
    const child = n.watch();
    await until('it stops', n.stopped);
    await until('the watcher ends', () => child.exitCode === 0);
  });

  for (const [what, comm, more] of [
    ['a job of Slurm', 'slurmstepd', { cmdline: 'slurmstepd: [17.batch]' }],
    ['a job of Grid Engine', 'sge_shepherd', {}],
    ['a job of Torque that root submitted', 'job.sh', { parent: 60 }],
    ["somebody's process", 'vim', { uid: 1234 }],
    ['a process of a user of a directory service', 'a.out', { uid: 200_123 }],
  ] as const) {
    test(`${what} keeps the node, however long nobody greets`, async (t) => {
      const n = node(t);
      n.process(60, 'pbs_mom');
      n.process(70, comm, more);
      n.watch();
      await sleep(6500);
      assert.equal(n.stopped(), false);
      n.gone(70);
      await until('it stops when the job is over', n.stopped);
    });
  }

  test('while the service greets, nothing stops', async (t) => {
    const n = node(t);
    const child = n.watch();
    for (let i = 0; i < 14; i++) {
      await n.greet();
      await sleep(500);
    }
    assert.equal(n.stopped(), false);
    assert.equal(child.exitCode, null);
    await until('it stops when nobody greets any more', n.stopped);
  });

  test('a job that comes at the last moment thaws the daemon, and the node stays', async (t) => {
    const n = node(t);
    const daemon = spawn('sleep', ['600'], { stdio: 'ignore' });
    t.after(() => void daemon.kill('SIGKILL'));
    const state = () => /\) (\S)/.exec(readFileSync(`/proc/${daemon.pid}/stat`, 'utf8'))?.[1];
    n.process(daemon.pid ?? 0, 'slurmd');
    n.watch(4);
    await until('the daemon is frozen', () => state() === 'T');
    n.process(71, 'slurmstepd', { cmdline: 'slurmstepd: [18.0]' });
    await until('it is thawed', () => state() !== 'T');
    assert.equal(n.stopped(), false);
    n.gone(71);
    await until('later it stops, with the daemon frozen', n.stopped);
    assert.equal(state(), 'T');
  });

  test('a greeting at the last moment does the same', async (t) => {
    const n = node(t);
    const daemon = spawn('sleep', ['600'], { stdio: 'ignore' });
    t.after(() => void daemon.kill('SIGKILL'));
    const state = () => /\) (\S)/.exec(readFileSync(`/proc/${daemon.pid}/stat`, 'utf8'))?.[1];
    n.process(daemon.pid ?? 0, 'pbs_mom');
    n.watch(4);
    await until('the daemon is frozen', () => state() === 'T');
    await n.greet();
    await until('it is thawed', () => state() !== 'T');
    assert.equal(n.stopped(), false);
  });

  test('preparing again starts a new one, and the old one ends', async (t) => {
    const n = node(t);
    n.process(70, 'slurmstepd');
    const first = n.watch();
    const holder = join(n.dir, 'watcher');
    await until('it runs', () => existsSync(holder) && readFileSync(holder, 'utf8') === `${first.pid}\n`);
    n.watch();
    await until('the first ends', () => first.exitCode === 0);
    assert.equal(n.stopped(), false);
  });

  test('prepare.sh puts it on the node and starts it, beside the connection', async (t) => {
    const n = node(t);
    const script = makeScript('hc-mark', C1, { source: 's:/x', dir: '/mnt', type: 'nfs', options: '' }, 5, 600_000)
      .replaceAll('/run/hybrid-cloud', join(n.dir, 'run'))
      // Whatever goes wrong in this test, this machine goes on.
      .replace('systemctl poweroff || poweroff || poweroff -f || halt -p -f', ':')
      .replace("'\\''/proc'", `'\\''${join(n.dir, 'proc')}'`)
      .replace('\nhc_main </dev/null\n', '\nhc_watch\n');
    assert.doesNotMatch(script, /poweroff|hc_main <|\/run\/hybrid-cloud/);
    assert.ok(script.includes(`dm_proc='\\''${join(n.dir, 'proc')}'`));
    const child = spawn('sh', ['-s'], { stdio: ['pipe', 'ignore', 'ignore'] });
    child.stdin.end(script);
    await until('the login ends', () => child.exitCode === 0);
    const pid = () => Number(readFileSync(join(n.dir, 'run/watcher'), 'utf8'));
    await until('it runs', () => existsSync(join(n.dir, 'run/watcher')) && pid() > 0);
    const running = pid();
    t.after(() => {
      process.kill(running, 'SIGKILL');
    });
    await until('as the watcher', () => /dead-man/.test(readFileSync(`/proc/${running}/cmdline`, 'utf8')));
    assert.match(readFileSync(join(n.dir, 'run/dead-man'), 'utf8'), /^dm_limit='600'$/m);
  });

  test('the service greets by a login with the key of the proven node; a login that fails is said', async (t) => {
    const { dir } = node(t);
    const scripts: string[] = [];
    let code: number | null = 0;
    const fake: Run = async (command, options) => {
      if (command[0] === 'ssh') scripts.push(options.stdin ?? '');
      // As ssh does at the first contact.
      const [, known] = /UserKnownHostsFile="([^"]*)"/.exec(command.join(' ')) ?? [];
      if (known !== undefined) writeFileSync(known.replaceAll('%%', '%'), 'c1 ssh-ed25519 AAAA\n');
      if (command[0] === 'ssh-keygen') writeFileSync(String(command.at(-1)), 'key\n');
      const rest = { signal: null, stderr: 'Connection refused', took: 1, timedOut: false, aborted: false, cut: false };
      return { command, code: command[0] === 'ssh' ? code : 0, stdout: 'ssh-ed25519 AAAA x', notFound: false, ...rest };
    };
    const parts = { run: fake, clock: systemClock, log: quietLog, stateDir: dir };
    const values = { NFS_MOUNT_POINT: 's:/x', NFS_LOCAL_DIR: '/mnt', NFS_TYPE: 'nfs', SSH_USER: 'root', SSH_PORT: 22 };
    assert.equal(makeSshBootstrap({ ...values, DEAD_MAN_TIME: null }, parts).greet, undefined);
    const { greet } = makeSshBootstrap({ ...values, DEAD_MAN_TIME: 600_000 }, parts);
    assert.equal(greet?.every, 120_000);
    const { signal } = new AbortController();
    await greet?.hello(C1, signal);
    await greet?.hello(C1, signal);
    assert.match(scripts[0] ?? '', /\/run\/hybrid-cloud\/alive/);
    assert.notEqual(scripts[0], scripts[1], 'a new word each time');
    code = 255;
    await assert.rejects(async () => greet?.hello(C1, signal), /c1 \(10.0.0.1\) heard no sign of life: .*refused/);
  });

  test('without DEAD_MAN_TIME nothing is put there; with it there are five greetings in it', () => {
    const script = makeScript('hc-mark', C1, { source: 's:/x', dir: '/mnt', type: 'nfs', options: '' });
    assert.match(script, /^hc_watcher=''$/m);
    assert.equal(greetEvery(600_000), 120_000);
  });
});
