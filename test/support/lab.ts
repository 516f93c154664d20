/**
 * A lab of its own for one end-to-end test: real Slurm, real nodes, and the service as a process that can be killed.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { EventView, JobView, NodeView, StatusView } from '../../src/controller/view.ts';
import { apiClient } from '../../src/service/client.ts';

const exec = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');

export interface LabOptions {
  /** Up to 8 small letters: the bridge and the folder are called after it. */
  readonly name: string;
  /** The third number of 10.x.y: each test file has its own. */
  readonly net: string;
  readonly portBase: number;
  readonly hosts?: number;
  readonly bootTime?: number;
  /** Install the shipped submit hook, so that `sbatch` pokes the service. */
  readonly hook?: boolean;
  /** More parameters of lab/up.sh. */
  readonly env?: Readonly<Record<string, string>>;
  /** Lines for the service's env file; later ones win. */
  readonly settings?: Readonly<Record<string, string | number>>;
}

export interface Service {
  readonly pid: number;
  /** Everything it wrote to its log so far. */
  log(): string;
  /** SIGTERM. @returns ms until it ended, and its exit code */
  stop(): Promise<{ took: number; code: number | null }>;
  /** SIGKILL, and waits until it is gone. */
  kill(): Promise<void>;
  readonly exited: Promise<number | null>;
}

export interface Machine {
  readonly id: string;
  readonly hostname: string;
  readonly state: string;
  readonly lease: string;
}

export type NodeBreak =
  | `${'slurmd' | 'sshd'}-${'kill' | 'start'}`
  | `mount-${'away' | 'back'}`
  | `cable-${'out' | 'in'}`;

export interface Lab extends AsyncDisposable {
  readonly dir: string;
  start(): Promise<Service>;
  status(): Promise<StatusView>;
  nodes(): Promise<NodeView[]>;
  jobs(): Promise<JobView[]>;
  events(): Promise<EventView[]>;
  post(path: string): Promise<unknown>;
  /** Runs a command of Slurm against the lab's cluster. */
  slurm(...command: string[]): Promise<string>;
  /** sbatch of a script. @returns the job's id */
  submit(script: string, ...flags: string[]): Promise<string>;
  /** State of a job by scontrol: PENDING, RUNNING, COMPLETED... */
  jobState(id: string): Promise<string>;
  /** What the cloud itself says it has, without the service and without faults. */
  machines(): Promise<Machine[]>;
  /** The cloud's account: one line for everything that became of a machine. */
  account(): { at: number; what: string; id: string; host: string; lease: string }[];
  fault(name: string, words: string): void;
  heal(name: string): void;
  slurmctld(what: 'stop' | 'start'): Promise<void>;
  /** lab/break.sh on one node. @returns false when nothing was there to break or to mend */
  breakNode(what: NodeBreak, host: string): Promise<boolean>;
  hybrid(...args: string[]): Promise<{ code: number; out: string; err: string }>;
}

/** Where the taking down is left: a test, or a benchmark's own stack. */
export interface Closing {
  after(close: () => Promise<void>): void;
}

/** Why labs cannot run here, or false. Under CI a missing capability is a failure, so nothing is skipped there. */
export function labSkip(): string | false {
  if (process.env.CI === 'true') return false;
  if (process.getuid?.() !== 0) return 'the lab needs root';
  return existsSync('/usr/sbin/slurmctld') && existsSync('/usr/sbin/slurmd') ? false : 'Slurm is not installed';
}

/** Starts a lab without the service; taken down when the test ends, whatever happens. */
export async function startLab(t: Closing, options: LabOptions): Promise<Lab> {
  const dir = `/var/tmp/hybrid-cloud-${options.name}`;
  const env: Record<string, string> = {
    PATH: process.env.PATH ?? '',
    LAB_NAME: options.name,
    LAB_DIR: dir,
    LAB_NET: options.net,
    LAB_PORT_BASE: String(options.portBase),
    LAB_HOSTS: String(options.hosts ?? 4),
    LAB_BOOT_TIME: String(options.bootTime ?? 1),
    ...options.env,
  };
  if (options.hook === true) {
    const shipped = readFileSync(join(ROOT, 'packaging/slurm/job_submit.lua'), 'utf8');
    const lua = shipped
      .replaceAll('/usr/local/bin/hybrid-cloud', join(ROOT, 'hybrid-cloud'))
      .replace(' poke)', ` poke --socket ${dir}/run/api.sock)`);
    writeFileSync(`${dir}.lua`, lua);
    env.LAB_JOB_SUBMIT = `${dir}.lua`;
    t.after(async () => rmSync(`${dir}.lua`, { force: true }));
  }
  const script = (name: string, ...args: string[]) =>
    exec('sh', [join(ROOT, 'lab', name), ...args], { env, timeout: 120_000 });
  let service: Service | null = null;
  const down = async () => {
    await service?.kill();
    service = null;
    await script('down.sh');
  };
  t.after(down);
  await script('up.sh');
  if (options.settings) {
    const lines = Object.entries(options.settings).map(([key, value]) => `${key}=${value}\n`);
    const file = join(dir, 'config/env');
    const kept = readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => !Object.keys(options.settings ?? {}).some((key) => line.startsWith(`${key}=`)));
    writeFileSync(file, kept.join('\n') + lines.join(''));
  }
  const slurmEnv = { PATH: `${env.PATH}:/usr/sbin`, SLURM_CONF: join(dir, 'slurm.conf') };
  const api = apiClient(join(dir, 'run/api.sock'));
  const slurm = async (...command: string[]) => {
    const [file = '', ...args] = command;
    return (await exec(file, args, { env: slurmEnv, timeout: 300_000, cwd: join(dir, 'export') })).stdout;
  };

  return {
    dir,
    async start() {
      const child = spawn(join(ROOT, 'hybrid-cloud'), ['run', '--config-dir', join(dir, 'config')], {
        env: { ...slurmEnv, HOME: dir },
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      service = handle(child);
      await until('the service answers', async () => pidOf(await api.get<Answer>('/status')) === child.pid, 60);
      return service;
    },
    status: () => api.get<StatusView>('/status'),
    nodes: () => api.get<NodeView[]>('/nodes'),
    jobs: () => api.get<JobView[]>('/jobs'),
    events: () => api.get<EventView[]>('/events?limit=1000'),
    post: (path) => api.post(path),
    slurm,
    async submit(text, ...flags) {
      const file = join(dir, `job-${Math.random().toString(36).slice(2)}.sh`);
      writeFileSync(file, `#!/bin/sh\n${text}\n`);
      const out = await slurm('sbatch', '--parsable', '-p', 'cloud', '-o', '/dev/null', ...flags, file);
      rmSync(file);
      return out.trim();
    },
    async jobState(id) {
      const out = await slurm('scontrol', '-o', 'show', 'job', id);
      return /JobState=(\S+)/.exec(out)?.[1] ?? '';
    },
    async machines() {
      const listed = await new Promise<string>((resolve, reject) => {
        const child = execFile(
          join(dir, 'cloud'),
          ['list'],
          { env: { PATH: env.PATH }, timeout: 20_000 },
          (error, out) => (error ? reject(error) : resolve(out)),
        );
        child.stdin?.end('{"pool":"cloud"}');
      });
      return (JSON.parse(listed) as { machines: Machine[] }).machines;
    },
    account() {
      const file = join(dir, 'log/cloud.log');
      if (!existsSync(file)) return [];
      return readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => {
          const [at = '', what = '', id = '', host = '', lease = ''] = line.split('\t');
          return { at: Number(at) * 1000, what, id, host, lease };
        });
    },
    fault: (name, words) => writeFileSync(join(dir, 'faults', name), `${words}\n`),
    heal: (name) => rmSync(join(dir, 'faults', name), { force: true }),
    slurmctld: async (what) => void (await script('slurmctld.sh', what)),
    async breakNode(what, host) {
      try {
        await script('break.sh', what, host);
        return true;
      } catch (error) {
        if ((error as { code?: unknown }).code === 1) return false;
        throw error;
      }
    },
    async hybrid(...args) {
      const full = [
        '--disable-warning=ExperimentalWarning',
        join(ROOT, 'src/main.ts'),
        ...args,
        '--config-dir',
        join(dir, 'config'),
        '--socket',
        join(dir, 'run/api.sock'),
      ];
      try {
        const { stdout, stderr } = await exec(process.execPath, full, { env: slurmEnv, timeout: 60_000 });
        return { code: 0, out: stdout, err: stderr };
      } catch (error) {
        const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
        return { code, out: stdout, err: stderr };
      }
    },
    [Symbol.asyncDispose]: down,
  };
}

/** Of one pool, or of several. */
type Answer = StatusView | { readonly pools: readonly { readonly view: StatusView }[] };

function pidOf(answer: Answer): number | undefined {
  return 'pools' in answer ? answer.pools[0]?.view.pid : answer.pid;
}

function handle(child: ChildProcess): Service {
  let text = '';
  child.stderr?.on('data', (chunk) => {
    text += String(chunk);
  });
  const exited = new Promise<number | null>((resolve) => child.on('exit', (code) => resolve(code)));
  return {
    pid: child.pid ?? 0,
    log: () => text,
    exited,
    async stop() {
      const start = performance.now();
      child.kill('SIGTERM');
      const code = await exited;
      return { took: performance.now() - start, code };
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/**
 * Waits for something to become true; looks often, gives up loudly.
 * @param seconds the longest wait
 */
export async function until(what: string, check: () => Promise<boolean> | boolean, seconds = 60): Promise<void> {
  const end = performance.now() + seconds * 1000;
  let last: unknown = null;
  while (performance.now() < end) {
    try {
      if (await check()) return;
      last = null;
    } catch (error) {
      last = error;
    }
    await sleep(100);
  }
  throw new Error(`${what}: not within ${seconds} s${last === null ? '' : ` (last: ${last})`}`);
}

/** States of the hosts, in the order of hosts.json. */
export async function states(lab: Lab): Promise<string[]> {
  return (await lab.nodes()).map((node) => node.state);
}

/** Leases the cloud was asked for and made a machine for, one for each machine it ever made. */
export function leases(lab: Lab): string[] {
  return lab
    .account()
    .filter((line) => line.what === 'create')
    .map((line) => line.lease);
}
