/**
 * A head node with a real systemd, for tests: a container of systemd-nspawn with a network of its own, made anew from
 * the distribution's packages. It is the only compute node as well: `cloud.sh` starts its sshd and slurmd when the
 * service creates the machine c1, and stops them when the service deletes it. Needs root.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RunResult, run, sayRun } from '../../../src/lib/run.ts';

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const PROGRAMS = ['systemd-nspawn', 'mmdebstrap', 'nsenter'];
const PACKAGES = [
  ...['systemd', 'systemd-sysv', 'dbus', 'procps', 'iproute2', 'libatomic1'],
  ...['slurmctld', 'slurmd', 'slurm-client', 'munge', 'openssh-server', 'openssh-client', 'sudo'],
];
/** Its files: put over the new root as they stand, under the same paths. */
const FILES = join(import.meta.dirname, 'files');
const PROJECT = join(import.meta.dirname, '../../..');

export interface SystemdMachine extends AsyncDisposable {
  /** Runs a command inside, as root, with a service manager's PATH. Never throws. */
  inside(...command: string[]): Promise<RunResult>;
  /** The same. @returns standard output, trimmed. @throws Error when it does not end with 0 */
  out(...command: string[]): Promise<string>;
  /** Asks until the answer is so. @throws Error with the last answer after `limit` ms (default 60 s) */
  until(what: string, ask: () => Promise<string>, so: (answer: string) => boolean, limit?: number): Promise<string>;
}

/** Why there can be no such machine here, or null. */
export function whyNoMachine(): string | null {
  if (process.getuid?.() !== 0) return 'needs root';
  const missing = PROGRAMS.filter((program) => !PATH.split(':').some((dir) => existsSync(join(dir, program))));
  return missing.length === 0 ? null : `not installed: ${missing.join(', ')}`;
}

/** @throws Error when it cannot be made, or does not come up within two minutes */
export async function makeSystemdMachine(): Promise<SystemdMachine> {
  const lacking = whyNoMachine();
  if (lacking !== null) throw new Error(lacking);
  await using undo = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'hc-systemd-'));
  undo.defer(() => rm(dir, { recursive: true, force: true }));
  const root = join(dir, 'root');
  await made(root);
  await cp(FILES, root, { recursive: true });
  const container = spawn('systemd-nspawn', nspawnWords(root), { stdio: ['ignore', 'pipe', 'pipe'] });
  const said: string[] = [];
  for (const stream of [container.stdout, container.stderr]) stream.on('data', (text) => said.push(String(text)));
  undo.defer(() => ended(container));

  const inside = async (...command: string[]): Promise<RunResult> =>
    run(['nsenter', `--target=${await leader(container)}`, '--all', '--root', 'env', '--chdir=/', ...command], {
      timeout: 120_000,
      env: { PATH, LC_ALL: 'C.UTF-8' },
    });
  const machine: Omit<SystemdMachine, keyof AsyncDisposable> = {
    inside,
    async out(...command) {
      const result = await inside(...command);
      if (result.code !== 0) throw new Error(`${sayRun(result)}\n${result.stdout}`);
      return result.stdout.trim();
    },
    async until(what, ask, so, limit = 60_000) {
      const end = performance.now() + limit;
      for (;;) {
        const answer = await ask().catch((error: unknown) => String(error));
        if (so(answer)) return answer;
        if (performance.now() > end) throw new Error(`${what}: not within ${limit / 1000} s: ${answer}`);
        await sleep(200);
      }
    },
  };
  const up = async () => (await inside('systemctl', 'is-system-running', '--wait')).stdout;
  await machine
    .until('systemd is up', up, (state) => /running|degraded/.test(state), 120_000)
    .catch((error: Error) => {
      throw new Error(`${error.message}\n${said.join('').slice(-3000)}`);
    });
  const stack = undo.move();
  return { ...machine, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function made(root: string): Promise<void> {
  const suite = /^VERSION_CODENAME=(\w+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'bookworm';
  const result = await run(
    [
      ...['mmdebstrap', '--quiet', '--variant=minbase', `--include=${PACKAGES.join(',')}`],
      // Documents are half of what would be written.
      '--dpkgopt=path-exclude=/usr/share/doc/*',
      '--dpkgopt=path-exclude=/usr/share/man/*',
      // A machine that was not created answers nothing.
      '--customize-hook=chroot "$1" systemctl --quiet disable ssh slurmd',
      '--customize-hook=mkdir -p "$1/var/lib/slurm/ctld" "$1/etc/hybrid-cloud"',
      ...[suite, root],
    ],
    { timeout: 400_000, env: { ...proxies(), PATH, LC_ALL: 'C.UTF-8' } },
  );
  if (result.code !== 0) throw new Error(sayRun(result));
}

function proxies(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      (pair): pair is [string, string] => pair[1] !== undefined && /^(https?|no)_proxy$/i.test(pair[0]),
    ),
  );
}

function nspawnWords(root: string): string[] {
  return [
    ...['--boot', `--directory=${root}`, `--machine=hc-test-${process.pid}`, '--hostname=c1'],
    // This machine may run no systemd itself; nothing of it is touched.
    ...['--register=no', '--keep-unit', '--link-journal=no', '--private-network', '--console=pipe'],
    `--bind-ro=${PROJECT}:/src`,
  ];
}

/** The container's first process, as this machine counts. */
async function leader(container: ChildProcess): Promise<number> {
  for (let i = 0; i < 100; i++) {
    if (container.exitCode !== null) throw new Error('systemd-nspawn has ended');
    const [pid] = childrenOf(container.pid ?? 0);
    if (pid !== undefined) return pid;
    await sleep(100);
  }
  throw new Error('systemd-nspawn started nothing');
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return (
          Number(
            readFileSync(`/proc/${pid}/stat`, 'utf8')
              .replace(/^.*\) \S /s, '')
              .split(' ')[0],
          ) === parent
        );
      } catch {
        return false; // it ended while we looked
      }
    })
    .map(Number);
}

/** Its first process is killed, and with it everything inside. */
async function ended(container: ChildProcess): Promise<void> {
  if (container.exitCode !== null || container.signalCode !== null) return;
  const gone = once(container, 'exit');
  for (const pid of childrenOf(container.pid ?? 0)) process.kill(pid, 'SIGKILL');
  const late = setTimeout(() => container.kill('SIGKILL'), 10_000);
  await gone;
  clearTimeout(late);
}
