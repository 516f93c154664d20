/**
 * A real Slurm in one temporary directory, for tests: munged with a key and socket of its own, slurmctld, and nodes
 * that are network + UTS + PID + mount namespaces on a bridge of their own, each with an address, a host name and a
 * slurmd. Nothing of the machine's own Slurm or munge is touched. Needs root.
 *
 * The bridge and the names of the namespaces are fixed (`hct0`, `hct-c1`...), so only one world exists at a time: a
 * lock file names its owner, a later one waits, and clears away what a killed one left behind. Every daemon dies with
 * the process that started it (`setpriv --pdeathsig`), so a killed test leaves no process.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Run, type RunResult, run } from '../../src/lib/run.ts';

const BRIDGE = 'hct0';
const SUBNET = '10.78.0';
const LOCK = '/run/hct0.lock';
const PROGRAMS = [
  'slurmctld',
  'slurmd',
  'scontrol',
  'squeue',
  'sbatch',
  'munged',
  'ip',
  'nsenter',
  'unshare',
  'setpriv',
];
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface SlurmWorldOptions {
  /** c1 ... cN. Default 3. */
  readonly hosts?: number;
  /** CPUs of each node. Default 4. */
  readonly cpus?: number;
  /** Memory of each node, MiB. Default 1000. */
  readonly memoryMiB?: number;
  /** slurm.conf's ReturnToService. Default 2. */
  readonly returnToService?: 0 | 1 | 2;
  /** Seconds until a silent slurmd is DOWN. Default 5. */
  readonly slurmdTimeout?: number;
  /** A node counts with what slurm.conf says, whatever its machine has. Default true. */
  readonly overrides?: boolean;
  /** More lines for slurm.conf. */
  readonly more?: readonly string[];
  /** More words for the line of a node: `{ c3: 'Gres=gpu:a100:2 Feature=fast' }`. */
  readonly nodes?: Readonly<Record<string, string>>;
  /** The lines of gres.conf. */
  readonly gres?: readonly string[];
}

export interface SlurmWorld extends AsyncDisposable {
  readonly dir: string;
  readonly conf: string;
  readonly hosts: readonly string[];
  readonly queue: string;
  /** Like lib/run, but with this world's SLURM_CONF in the environment. */
  readonly run: Run;
  /** Runs a command of Slurm's and fails unless it ends with 0. @returns its standard output. */
  command(...words: string[]): Promise<string>;
  startNode(host: string): Promise<void>;
  stopNode(host: string): Promise<void>;
  startServer(): Promise<void>;
  stopServer(): Promise<void>;
  dispose(): Promise<void>;
}

/** Why no world can be made here, or null when it can. */
export function whyNoSlurmWorld(): string | null {
  if (process.getuid?.() !== 0) return 'needs root';
  const missing = PROGRAMS.filter((program) => !PATH.split(':').some((dir) => existsSync(join(dir, program))));
  return missing.length === 0 ? null : `not installed: ${missing.join(', ')}`;
}

export async function makeSlurmWorld(options: SlurmWorldOptions = {}): Promise<SlurmWorld> {
  const count = options.hosts ?? 3;
  const hosts = Array.from({ length: count }, (_, i) => `c${i + 1}`);
  await using undo = new AsyncDisposableStack();
  await takeLock();
  undo.defer(() => rmSync(LOCK, { force: true }));
  await clearNetwork();

  const dir = await mkdtemp(join(tmpdir(), 'hct-'));
  undo.defer(() => rm(dir, { recursive: true, force: true }));
  // so that whoever finds the lock of a killed owner knows what to clear away
  writeFileSync(LOCK, `${process.pid}\n${dir}\n`);
  // an ordinary user of the test must reach munge's socket
  chmodSync(dir, 0o755);
  const conf = join(dir, 'slurm.conf');
  const env = { PATH, HOME: dir, LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', SLURM_CONF: conf };
  await writeFile(conf, slurmConf(dir, count, options));
  await writeFile(join(dir, 'cgroup.conf'), 'CgroupAutomount=no\n');
  if (options.gres) await writeFile(join(dir, 'gres.conf'), `${options.gres.join('\n')}\n`);
  for (const folder of ['state', 'run', 'spool', 'log']) mkdirSync(join(dir, folder), { mode: 0o755 });

  const daemons = new Map<string, ChildProcess>();
  undo.defer(() => Promise.all([...daemons.keys()].map((name) => stop(daemons, name))).then(() => {}));
  undo.defer(clearNetwork);
  await makeBridge();

  const start = (name: string, words: readonly string[]): void => {
    const log = openSync(join(dir, 'log', `${name}.out`), 'a');
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...words], { env, cwd: dir, stdio: ['ignore', log, log] });
    closeSync(log);
    daemons.set(name, child);
  };
  const worldRun: Run = (command, more) => run(command, { ...more, env: more.env ?? env });
  const command = async (...words: string[]): Promise<string> => {
    const result = await worldRun(words, { timeout: 20_000 });
    if (result.code !== 0) throw new Error(`${words.join(' ')} ended with ${result.code}: ${said(result)}`);
    return result.stdout;
  };

  writeFileSync(join(dir, 'munge.key'), crypto.getRandomValues(new Uint8Array(128)), { mode: 0o400 });
  start('munged', [
    ...['munged', '--foreground', '--force', `--socket=${dir}/run/munge.socket`, `--key-file=${dir}/munge.key`],
    ...[`--pid-file=${dir}/run/munged.pid`, `--seed-file=${dir}/run/munged.seed`, '--num-threads=2'],
  ]);
  await until('munged', () => existsSync(join(dir, 'run/munge.socket')));

  const world: SlurmWorld = {
    dir,
    conf,
    hosts,
    queue: 'cloud',
    run: worldRun,
    command,
    async startServer() {
      start('slurmctld', ['slurmctld', '-D', '-f', conf]);
      await until('slurmctld', async () => (await worldRun(['scontrol', 'ping'], { timeout: 5000 })).code === 0);
    },
    async stopServer() {
      await stop(daemons, 'slurmctld');
    },
    async startNode(host) {
      const number = hosts.indexOf(host) + 1;
      if (number === 0) throw new Error(`no host ${host}`);
      await makeNamespace(host, number);
      const script = `hostname ${host}; exec slurmd -D -f ${conf} -N ${host}`;
      const inside = ['--uts', '--pid', '--mount', '--fork', '--mount-proc', '--kill-child', 'sh', '-c', script];
      start(host, ['nsenter', `--net=/run/netns/hct-${host}`, 'unshare', ...inside]);
    },
    async stopNode(host) {
      await stop(daemons, host);
      await clearNamespace(host);
    },
    async dispose() {
      await held.disposeAsync();
    },
    async [Symbol.asyncDispose]() {
      await held.disposeAsync();
    },
  };
  await world.startServer();
  const held = undo.move();
  return world;
}

/** The ends of the daemons' logs, for the message of a failed test. */
export async function worldLogs(world: SlurmWorld): Promise<string> {
  const tail = async (name: string): Promise<string> =>
    (await readFile(join(world.dir, 'log', name), 'utf8').catch(() => '')).split('\n').slice(-15).join('\n');
  return `slurmctld:\n${await tail('slurmctld.log')}\n${await tail('slurmctld.out')}`;
}

/** Waits, bounded, until something is so. */
export async function until(what: string, test: () => boolean | Promise<boolean>, seconds = 30): Promise<void> {
  const end = performance.now() + seconds * 1000;
  while (!(await test())) {
    if (performance.now() > end) throw new Error(`${what}: not within ${seconds} s`);
    await sleep(100);
  }
}

function slurmConf(dir: string, hosts: number, options: SlurmWorldOptions): string {
  const timeout = options.slurmdTimeout ?? 5;
  return [
    'ClusterName=hct',
    `SlurmctldHost=${hostname()}(${SUBNET}.1)`,
    'SlurmUser=root',
    'SlurmdUser=root',
    'SlurmctldPort=26817',
    'SlurmdPort=26818',
    'AuthType=auth/munge',
    `AuthInfo=socket=${dir}/run/munge.socket`,
    'CredType=cred/munge',
    `StateSaveLocation=${dir}/state`,
    `SlurmctldPidFile=${dir}/run/slurmctld.pid`,
    `SlurmdPidFile=${dir}/run/slurmd.%n.pid`,
    `SlurmdSpoolDir=${dir}/spool/%n`,
    `SlurmctldLogFile=${dir}/log/slurmctld.log`,
    `SlurmdLogFile=${dir}/log/slurmd.%n.log`,
    'ProctrackType=proctrack/linuxproc',
    'TaskPlugin=task/none',
    'SelectType=select/cons_tres',
    'SelectTypeParameters=CR_Core_Memory',
    'AccountingStorageType=accounting_storage/none',
    'JobAcctGatherType=jobacct_gather/none',
    'MpiDefault=none',
    // nodes may claim more CPUs than this machine has
    ...(options.overrides === false ? [] : ['SlurmdParameters=config_overrides']),
    'MailProg=/bin/true',
    `ReturnToService=${options.returnToService ?? 2}`,
    `SlurmdTimeout=${timeout}`,
    'MessageTimeout=5',
    'KillWait=1',
    'MinJobAge=2',
    'SchedulerParameters=batch_sched_delay=0,sched_interval=2,sched_min_interval=0,bf_interval=2,default_queue_depth=1000',
    'MaxArraySize=200001',
    'MaxJobCount=300000',
    ...(options.more ?? []),
    `NodeName=DEFAULT CPUs=${options.cpus ?? 4} RealMemory=${options.memoryMiB ?? 1000} State=UNKNOWN`,
    ...Array.from({ length: hosts }, (_, i) => {
      const host = `c${i + 1}`;
      return `NodeName=${host} NodeAddr=${SUBNET}.${11 + i} ${options.nodes?.[host] ?? ''}`.trimEnd();
    }),
    `PartitionName=cloud Nodes=c[1-${hosts}] Default=YES MaxTime=INFINITE State=UP`,
    '',
  ].join('\n');
}

async function takeLock(): Promise<void> {
  await until(
    'another world of namespaces on this machine',
    () => {
      try {
        writeFileSync(LOCK, `${process.pid}\n`, { flag: 'wx' });
        return true;
      } catch {
        const [owner, dir] = safeRead(LOCK).split('\n');
        if (Number(owner) > 0 && existsSync(`/proc/${owner}`)) return false;
        if (dir?.startsWith(join(tmpdir(), 'hct-'))) rmSync(dir, { recursive: true, force: true });
        rmSync(LOCK, { force: true });
        return false;
      }
    },
    300,
  );
}

function safeRead(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

async function makeBridge(): Promise<void> {
  await ip('link', 'add', BRIDGE, 'type', 'bridge');
  await ip('addr', 'add', `${SUBNET}.1/24`, 'dev', BRIDGE);
  await ip('link', 'set', BRIDGE, 'up');
}

async function makeNamespace(host: string, number: number): Promise<void> {
  const space = `hct-${host}`;
  const cable = `hctv${number}`;
  await ip('netns', 'add', space);
  await ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', space);
  await ip('link', 'set', cable, 'master', BRIDGE, 'up');
  await ip('-n', space, 'addr', 'add', `${SUBNET}.${10 + number}/24`, 'dev', 'eth0');
  await ip('-n', space, 'link', 'set', 'eth0', 'up');
  await ip('-n', space, 'link', 'set', 'lo', 'up');
}

async function clearNamespace(host: string): Promise<void> {
  await run(['ip', 'link', 'del', `hctv${host.slice(1)}`], { timeout: 5000 });
  await run(['ip', 'netns', 'del', `hct-${host}`], { timeout: 5000 });
}

async function clearNetwork(): Promise<void> {
  const spaces = (await run(['ip', 'netns', 'list'], { timeout: 5000 })).stdout.match(/^hct-c\d+/gm) ?? [];
  for (const space of spaces) await clearNamespace(space.slice('hct-'.length));
  await run(['ip', 'link', 'del', BRIDGE], { timeout: 5000 });
}

async function ip(...words: string[]): Promise<void> {
  const result = await run(['ip', ...words], { timeout: 5000 });
  if (result.code !== 0) throw new Error(`ip ${words.join(' ')}: ${said(result)}`);
}

async function stop(daemons: Map<string, ChildProcess>, name: string): Promise<void> {
  const child = daemons.get(name);
  daemons.delete(name);
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  // a node is killed like a machine that loses power; slurmctld may write its state first
  child.kill(name === 'slurmctld' ? 'SIGTERM' : 'SIGKILL');
  const late = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await gone;
  clearTimeout(late);
}

function said(result: RunResult): string {
  return (result.stderr || result.stdout).trim().slice(0, 500);
}
