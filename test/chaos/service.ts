/**
 * Chaos with the real service as a process, in real time: one seeded history of trouble against a site in this process
 * (site.ts), then peace. It runs in a network of its own that has loopback only (`unshare --net`), so that nobody answers
 * on the addresses of the hosts: `service.ts SEED SECONDS PATIENCE` prints what came of it as JSON. The oracle is the site itself: it knows which job runs where at the moment of every call.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeView } from '../../src/controller/view.ts';
import { CLOUD_ERRORS } from '../../src/domain/errors.ts';
import { apiClient } from '../../src/service/client.ts';
import { makeDice } from '../../src/sim/dice.ts';
import { makeSite, type Site, type SiteCall } from './site.ts';

const ROOT = join(import.meta.dirname, '../..');

export interface ServiceChaos {
  readonly violations: readonly string[];
  readonly history: readonly string[];
  readonly counts: Site['counts'];
  readonly log: string;
}

export interface ServiceChaosOptions {
  readonly seed: number;
  /** Length of the troubles, s. */
  readonly seconds: number;
  /** The state folder becomes a small file system of its own, which can be full and read-only. Needs root. */
  readonly smallDisk: boolean;
  /** The longest peace, s. */
  readonly patience?: number;
}

const HOSTS = 4;

export async function serviceChaos(options: ServiceChaosOptions): Promise<ServiceChaos> {
  const roll = makeDice(options.seed);
  const pick = <T>(of: readonly T[]): T => of[Math.floor(roll() * of.length)] as T;
  const folder = mkdtempSync(join(tmpdir(), 'hc-chaos-'));
  const state = join(folder, 'state');
  mkdirSync(state);
  if (options.smallDisk) execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=700', 'hc-chaos', state]);
  const hosts = Array.from({ length: HOSTS }, (_, i) => ({ name: `c${i + 1}`, ip: `10.77.9.${i + 1}` }));
  const site = await makeSite(folder, hosts);
  const socket = join(folder, 'api.sock');
  const history: string[] = [];
  const began = performance.now();
  const note = (what: string) => history.push(`${((performance.now() - began) / 1000).toFixed(1)} s ${what}`);
  const env = {
    ...{ CONFIG_DIR: folder, STATE_DIR: state, API_SOCKET: socket, QUEUE_NAME: 'cloud', BOOTSTRAP: 'none' },
    ...{ BATCH_SYSTEM: 'script', BATCH_SCRIPT: site.batchScript, BATCH_TIMEOUT: '3' },
    ...{ CLOUD: 'command', CLOUD_COMMAND: site.cloudProgram, CLOUD_TIMEOUT: '3', POLL_INTERVAL: '1' },
    ...{
      CLEANUP_NODE_WAIT_TIME: '2',
      IDLE_NODE_WAIT_TIME: '2',
      BOOT_TIMEOUT: '6',
      JOIN_TIMEOUT: '6',
      STOP_TIMEOUT: '20',
    },
  };
  const lines = Object.entries(env).map(([key, value]) => `${key}=${value}\n`);
  writeFileSync(join(folder, 'env'), lines.join(''), { mode: 0o600 });
  const register = (list: typeof hosts) =>
    writeFileSync(
      join(folder, 'hosts.json'),
      JSON.stringify(Object.fromEntries(list.map(({ name, ip }) => [ip, name]))),
    );
  register(hosts);
  let log = '';
  let child: ChildProcess | null = null;
  let wanted = true;

  function spawned(): ChildProcess {
    const one = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', join(ROOT, 'src/main.ts'), 'run', '--config-dir', folder],
      { env: { PATH: process.env.PATH ?? '', HOME: folder }, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    one.stderr?.on('data', (part) => {
      log += String(part);
    });
    return one;
  }
  /** As systemd does it: started again whenever it ends. */
  function start(): void {
    const one = spawned();
    child = one;
    one.on('exit', (code, signal) => {
      note(`the service ended with ${code ?? signal}`);
      if (!wanted || child !== one) return;
      void sleep(100).then(() => {
        if (wanted && child === one) start();
      });
    });
  }
  const ended = (one: ChildProcess | null) =>
    new Promise<void>((resolve) => {
      if (one === null || one.exitCode !== null || one.signalCode !== null) resolve();
      else one.once('exit', () => resolve());
    });
  const kill = () => void child?.kill('SIGKILL');
  /** Ended, changed, started again. */
  async function down(change: () => void): Promise<void> {
    wanted = false;
    kill();
    await ended(child);
    change();
    wanted = true;
    start();
  }
  const fault = (call: SiteCall, one: Parameters<NonNullable<ReturnType<Site['faults']['get']>>['push']>[0]) => {
    site.faults.get(call)?.push(one);
    return `${call}: ${one.what}`;
  };
  const anyCall = () => pick(['list', 'create', 'delete', 'status', 'join', 'leave'] as const);
  const undo: (() => void)[] = [];

  const troubles: readonly (() => string | Promise<string>)[] = [
    () => {
      const kind = pick(CLOUD_ERRORS);
      const text = `{"error":{"kind":"${kind}","message":"on command"}}`;
      return fault(pick(['list', 'create', 'delete'] as const), { what: kind, instead: { code: 1, text } });
    },
    () => fault(pick(['status', 'join', 'leave'] as const), { what: 'fails', instead: { code: 7, text: '' } }),
    () => fault(anyCall(), { what: 'hangs after its work', hang: true }),
    () => fault(anyCall(), { what: 'is slow', before: () => sleep(500 + roll() * 2000) }),
    () => fault(anyCall(), { what: 'answers nothing', answer: () => '' }),
    () => fault(anyCall(), { what: 'is cut off', answer: (text) => text.slice(0, Math.floor(roll() * text.length)) }),
    () => fault(anyCall(), { what: 'is garbled', answer: (text) => text.replace(/[":]/, '\u0000') }),
    () => fault(anyCall(), { what: 'is lost after its work', lost: true }),
    () =>
      fault('list', {
        what: 'lacks the first machine',
        answer: (text) => edit(text, 'machines', (all) => all.slice(1)),
      }),
    () =>
      fault('list', { what: 'doubles a machine', answer: (text) => edit(text, 'machines', (all) => [...all, ...all]) }),
    () => fault('list', { what: 'is empty', answer: () => '{"machines":[]}' }),
    () =>
      fault('status', { what: 'lacks the first node', answer: (text) => edit(text, 'nodes', (all) => all.slice(1)) }),
    () => fault('status', { what: 'names nobody', answer: () => '{"jobs":[],"nodes":[]}' }),
    () => {
      const how = pick(['never boots', 'never registers', 'fails', 'renamed'] as const);
      site.next.push(how);
      return `the next machine: ${how}`;
    },
    () => {
      const [one] = [...site.machines.values()].filter((machine) => machine.ours && machine.state === 'running');
      if (one === undefined) return 'no daemon to end';
      one.registers = false;
      for (const job of site.jobs.values()) if (job.host === one.hostname) job.host = null;
      return `the daemon of ${one.hostname} ends`;
    },
    () => {
      const id = site.stranger(pick(hosts).ip);
      undo.push(() => site.machines.delete(id));
      return `a stranger's machine ${id}`;
    },
    () => fault(anyCall(), { what: 'the service is killed before it', before: kill }),
    () => fault(anyCall(), { what: 'the service is killed after it', after: kill }),
    () => {
      kill();
      return 'the service is killed';
    },
    async () => {
      const one = child;
      one?.kill('SIGSTOP');
      await sleep(1000 + roll() * 2000);
      one?.kill('SIGCONT');
      return 'the service stood still';
    },
    async () => {
      const second = spawned();
      await Promise.race([ended(second), ended(child), sleep(20_000)]);
      // It may win when the first has just died; then the first is started in vain until it is ended.
      if (second.exitCode === null && second.signalCode === null) second.kill('SIGKILL');
      await ended(second);
      return `a second daemon, which ended with ${second.exitCode ?? second.signalCode}`;
    },
    async () => {
      const left = hosts.filter(() => roll() < 0.7);
      await down(() => register(left.length === 0 ? hosts.slice(0, 1) : left));
      return `hosts.json has ${left.length} hosts`;
    },
    async () => {
      await down(() => {
        for (const tail of ['', '-wal', '-shm']) writeFileSync(join(state, `state.db${tail}`), 'rubbish '.repeat(100));
      });
      return 'the database is damaged';
    },
    async () => {
      try {
        using other = new DatabaseSync(join(state, 'state.db'), { timeout: 1000 });
        other.exec('BEGIN IMMEDIATE');
        await sleep(1500);
        other.exec('ROLLBACK');
      } catch {
        return 'the database could not be locked';
      }
      return 'the database was locked for a while';
    },
    async () => {
      if (!options.smallDisk) return 'no disk of its own';
      if (roll() < 0.5) {
        const { bavail, bsize } = statfsSync(state);
        try {
          writeFileSync(join(state, 'filler'), Buffer.alloc(bavail * bsize));
        } catch {
          // Full, as it should be.
        }
        await sleep(2000);
        rmSync(join(state, 'filler'), { force: true });
        return 'the disk was full for 2 s';
      }
      try {
        execFileSync('mount', ['-o', 'remount,ro', state], { stdio: 'ignore' });
      } catch {
        return 'the disk is busy: not made read-only';
      }
      await sleep(2000);
      execFileSync('mount', ['-o', 'remount,rw', state]);
      return 'the disk was read-only for 2 s';
    },
  ];

  try {
    start();
    const end = performance.now() + options.seconds * 1000;
    while (performance.now() < end) {
      if (roll() < 0.5) site.submit(500 + roll() * 3000);
      if (roll() < 0.6) note(await pick(troubles)());
      site.tick();
      await sleep(200 + roll() * 500);
    }
    for (const list of site.faults.values()) list.length = 0;
    for (const one of undo) one();
    site.next.length = 0;
    for (const machine of site.machines.values())
      if (machine.hostname === 'localhost') machine.hostname = nameOf(machine.ip);
    await down(() => register(hosts));
    note('peace');
    const api = apiClient(socket);
    const patience = performance.now() + (options.patience ?? 120) * 1000;
    let released = 0;
    let last = '';
    for (;;) {
      site.tick();
      try {
        // A person ends pauses and quarantines: what caused them is over.
        if (performance.now() - released > 5000) {
          released = performance.now();
          await api.post('/release');
        }
        const nodes = await api.get<NodeView[]>('/nodes');
        last = nodes.map(({ host, state: is, reason }) => `${host} ${is} (${reason})`).join('; ');
        for (const { host, state: is } of nodes) if (is === 'quarantined') await api.post('/release', { host });
        if (site.jobs.size === 0 && site.machines.size === 0 && nodes.every((node) => node.state === 'free')) break;
      } catch (error) {
        last = String(error);
      }
      if (performance.now() > patience) {
        const machines = [...site.machines.values()].map(({ id, hostname, state: is }) => `${id} ${hostname} ${is}`);
        site.violations.push(`stuck: ${site.jobs.size} jobs, machines ${machines.join(', ')}; ${last}`);
        break;
      }
      await sleep(200);
    }
    return { violations: site.violations, history, counts: site.counts, log };
  } finally {
    wanted = false;
    kill();
    await ended(child);
    await site[Symbol.asyncDispose]();
    if (options.smallDisk) execFileSync('umount', ['-l', state]);
    rmSync(folder, { recursive: true, force: true });
  }

  function nameOf(ip: string): string {
    return hosts.find((host) => host.ip === ip)?.name ?? 'localhost';
  }
}

function edit(text: string, key: string, change: (all: unknown[]) => unknown[]): string {
  const answer = JSON.parse(text) as Record<string, unknown[]>;
  return JSON.stringify({ ...answer, [key]: change(answer[key] ?? []) });
}

if (import.meta.main) {
  const [seed = 1, seconds = 20, patience = 120] = process.argv.slice(2).map(Number);
  execFileSync('ip', ['link', 'set', 'lo', 'up']);
  const result = await serviceChaos({ seed, seconds, patience, smallDisk: true });
  process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exitCode = result.violations.length === 0 ? 0 : 1;
}
