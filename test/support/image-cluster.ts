/**
 * For the test of the images: containers of an image as nodes on a bridge of their own (`hci0`, 10.76.0.0/24), and a
 * slurmctld of this machine beside them. Needs root, buildah and mmdebstrap.
 *
 * The bridge is there once, so a lock file names its owner's process; a later one waits, and clears away what a killed
 * one left. Every process dies with the one that started it (`setpriv --pdeathsig`).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Run, type RunResult, run, sayRun } from '../../src/lib/run.ts';
import { until } from './slurm-world.ts';

const IMAGE = join(import.meta.dirname, '../../lab/image.sh');
const RUN_CONTAINER = join(import.meta.dirname, 'run-container.sh');
const BRIDGE = 'hci0';
const LOCK = '/run/hci0.lock';
/** Temporary folders are called so: a killed test leaves one, with keys in it. */
export const FOLDER = 'hci-test-';
const PREFIX = 'hci-test-';
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const PROGRAMS = [
  ...['buildah', 'mmdebstrap', 'slurmctld', 'sbatch', 'scontrol', 'munged', 'ssh', 'ssh-keygen'],
  ...['ip', 'unshare', 'setpriv', 'chroot', 'flock', 'tar'],
];
export const SERVER = '10.76.0.1';
export const SERVER_PORT = 23000;

/** Why images cannot be built and run here, or null when they can. */
export function whyNoImages(): string | null {
  if (process.getuid?.() !== 0) return 'needs root';
  const missing = PROGRAMS.filter((program) => !PATH.split(':').some((dir) => existsSync(join(dir, program))));
  return missing.length === 0 ? null : `not installed: ${missing.join(', ')}`;
}

/** Builds images/NAME (or the Containerfile with this path) as localhost/TAG. Never throws: look at the result. */
export function buildImage(name: string, tag: string, ...options: string[]): Promise<RunResult> {
  return run(['sh', IMAGE, 'build', name, tag, ...options], { timeout: 600_000, env: buildEnv() });
}

/** Any buildah command on the storage of the built images. @returns its standard output, trimmed */
export async function buildah(...words: string[]): Promise<string> {
  return ended(await run(['sh', IMAGE, 'buildah', ...words], { timeout: 120_000, env: buildEnv() }));
}

/** Proxy settings and the place of the cache are part of how this machine builds. */
function buildEnv(): Record<string, string> {
  const kept = Object.entries(process.env).flatMap(([key, value]) =>
    value !== undefined && /^(IMAGE_CACHE|HOME|https?_proxy|no_proxy|BUILDAH_.*)$/i.test(key)
      ? [[key, value] as const]
      : [],
  );
  return { ...Object.fromEntries(kept), PATH, LC_ALL: 'C.UTF-8' };
}

export interface Container {
  /** Its file system, for reading and writing from outside. */
  readonly root: string;
  read(path: string): string;
  /** Runs a command of the image, without the entry point and without a network. */
  inside(env: Readonly<Record<string, string>>, ...command: string[]): Promise<RunResult>;
  /** Starts the entry point as a node with this address (`none`: no network). */
  start(address: string, env: Readonly<Record<string, string>>, ...binds: string[]): Promise<Running>;
}

export interface Running {
  /** What the entry point and supervisord said. */
  output(): string;
  readonly exited: Promise<number | null>;
  /** Like a machine that loses its power. */
  stop(): Promise<void>;
}

export interface ImageWorld extends AsyncDisposable {
  readonly dir: string;
  /** A new container of this image, with these lines in /etc/hosts. */
  container(image: string, hosts?: readonly string[]): Promise<Container>;
  /** munged and slurmctld of this machine, on the bridge. @returns how to run a command of Slurm, the munge key, and what a node gets as slurm.conf */
  slurm(hosts: Readonly<Record<string, string>>): Promise<Slurm>;
}

export interface Slurm {
  readonly command: (...words: string[]) => Promise<string>;
  readonly mungeKey: string;
  /** For a node; slurmctld's own has the paths of this test. */
  readonly nodeConf: string;
  /** Where slurmctld's configuration, which slurmd fetches when configless, says the socket of munge is. */
  readonly mungeSocket: string;
}

/** @throws Error when images cannot be built and run here. */
export async function makeImageWorld(): Promise<ImageWorld> {
  const lacking = whyNoImages();
  if (lacking !== null) throw new Error(lacking);
  await using undo = new AsyncDisposableStack();
  await takeLock();
  for (const old of readdirSync(tmpdir()).filter((name) => name.startsWith(FOLDER)))
    rmSync(join(tmpdir(), old), { recursive: true, force: true });
  undo.defer(() => rmSync(LOCK, { force: true }));
  await makeBridge();
  undo.defer(async () => void (await ip('link', 'del', BRIDGE)));
  await cleanStorage();
  undo.defer(cleanStorage);
  const dir = await mkdtemp(join(tmpdir(), FOLDER));
  undo.defer(() => rm(dir, { recursive: true, force: true }));
  const processes = new Set<ChildProcess>();
  undo.defer(async () => void (await Promise.all([...processes].map(kill))));

  const start = (log: string, env: Readonly<Record<string, string>>, command: readonly string[]): ChildProcess => {
    const file = openSync(log, 'a');
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...command], {
      env,
      cwd: '/',
      stdio: ['ignore', file, file],
    });
    closeSync(file);
    processes.add(child);
    return child;
  };

  let containers = 0;
  const held = undo.move();
  return {
    dir,
    async container(image, hosts = []) {
      const number = ++containers;
      const name = await buildah('from', '--pull-never', '--name', `${PREFIX}${number}`, `localhost/${image}`);
      const root = await buildah('mount', name);
      await writeFile(join(root, 'etc/hosts'), ['127.0.0.1 localhost', ...hosts, ''].join('\n'));
      return {
        root,
        read: (path) => readFileSync(join(root, path), 'utf8'),
        inside: (env, ...command) =>
          run(['unshare', '--uts', '--pid', '--mount', '--fork', '--kill-child', 'chroot', root, ...command], {
            timeout: 60_000,
            env: { PATH, ...env },
          }),
        async start(address, env, ...binds) {
          const log = join(dir, `container-${number}-${processes.size}.log`);
          const net = address === 'none' ? 'none' : `${address}/24`;
          const child = start(log, { PATH, ...env }, ['sh', RUN_CONTAINER, root, net, ...binds]);
          if (address !== 'none') await plugIn(child, number);
          return {
            output: () => readFileSync(log, 'utf8'),
            exited: gone(child),
            stop: () => kill(child),
          };
        },
      };
    },
    async slurm(hosts) {
      return startSlurm(dir, hosts, start);
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

async function startSlurm(
  dir: string,
  hosts: Readonly<Record<string, string>>,
  start: (log: string, env: Readonly<Record<string, string>>, command: readonly string[]) => ChildProcess,
): Promise<Slurm> {
  const conf = join(dir, 'slurm.conf');
  const mungeSocket = join(dir, 'munge.socket');
  const env = { PATH, HOME: dir, LANG: 'C.UTF-8', SLURM_CONF: conf };
  const key = crypto.getRandomValues(new Uint8Array(128));
  mkdirSync(join(dir, 'state'));
  await writeFile(join(dir, 'munge.key'), key, { mode: 0o400 });
  await writeFile(conf, [`AuthInfo=socket=${mungeSocket}`, ...confLines(dir, hosts)].join('\n'));
  start(join(dir, 'munged.log'), env, [
    ...['munged', '--foreground', '--force', `--socket=${mungeSocket}`, `--key-file=${dir}/munge.key`],
    ...[`--pid-file=${dir}/munged.pid`, `--seed-file=${dir}/munged.seed`, '--num-threads=2'],
  ]);
  await until('munged', () => existsSync(mungeSocket));
  start(join(dir, 'slurmctld.log'), env, ['slurmctld', '-D', '-f', conf]);
  const worldRun: Run = (words, more) => run(words, { ...more, env });
  await until('slurmctld', async () => (await worldRun(['scontrol', 'ping'], { timeout: 5000 })).code === 0);
  return {
    command: async (...words) => ended(await worldRun(words, { timeout: 20_000 })),
    mungeKey: Buffer.from(key).toString('base64'),
    nodeConf: confLines(dir, hosts).join('\n'),
    mungeSocket,
  };
}

function confLines(dir: string, hosts: Readonly<Record<string, string>>): string[] {
  return [
    'ClusterName=hci',
    `SlurmctldHost=${hostname()}(${SERVER})`,
    `SlurmctldPort=${SERVER_PORT}`,
    `SlurmdPort=${SERVER_PORT + 1}`,
    'SlurmUser=root',
    'SlurmdUser=root',
    'SlurmctldParameters=enable_configless',
    'DebugFlags=NO_CONF_HASH',
    `StateSaveLocation=${dir}/state`,
    `SlurmctldPidFile=${dir}/slurmctld.pid`,
    'SlurmdSpoolDir=/var/spool/slurmd',
    'ProctrackType=proctrack/linuxproc',
    'TaskPlugin=task/none',
    'SelectType=select/cons_tres',
    'SelectTypeParameters=CR_Core',
    'AccountingStorageType=accounting_storage/none',
    'JobAcctGatherType=jobacct_gather/none',
    'MpiDefault=none',
    'MailProg=/bin/true',
    'ReturnToService=2',
    'SlurmdTimeout=30',
    'SchedulerParameters=batch_sched_delay=0,sched_interval=2',
    ...Object.entries(hosts).map(([name, address]) => `NodeName=${name} NodeAddr=${address} CPUs=1 State=UNKNOWN`),
    'PartitionName=cloud Nodes=ALL Default=YES MaxTime=INFINITE State=UP',
    '',
  ];
}

/** Gives the container's network a cable to the bridge. `unshare` is in the new namespace before it forks. */
async function plugIn(child: ChildProcess, number: number): Promise<void> {
  const own = await networkOf('self');
  await until('the network namespace of a container', async () => {
    const its = await networkOf(String(child.pid));
    return its !== '' && its !== own;
  });
  const device = `${BRIDGE}-${number}`;
  await ip('link', 'del', device);
  const made = await ip('link', 'add', device, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(child.pid));
  ended(made);
  ended(await ip('link', 'set', device, 'master', BRIDGE, 'up'));
}

async function networkOf(pid: string): Promise<string> {
  return (await run(['readlink', `/proc/${pid}/ns/net`], { timeout: 5000 })).stdout.trim();
}

/** The lock comes into being with its owner's process in it, so nobody takes a new one for an old one. */
async function takeLock(): Promise<void> {
  const mine = `${LOCK}.${process.pid}`;
  writeFileSync(mine, `${process.pid}\n`);
  await until(
    'another test of the images on this machine',
    () => {
      try {
        linkSync(mine, LOCK);
        return true;
      } catch {
        if (!existsSync(`/proc/${ownerOfLock()}`)) rmSync(LOCK, { force: true });
        return false;
      }
    },
    300,
  ).finally(() => rmSync(mine, { force: true }));
}

function ownerOfLock(): number {
  try {
    return Number(readFileSync(LOCK, 'utf8'));
  } catch {
    return 0;
  }
}

async function makeBridge(): Promise<void> {
  await ip('link', 'del', BRIDGE);
  ended(await ip('link', 'add', BRIDGE, 'type', 'bridge'));
  ended(await ip('addr', 'add', `${SERVER}/24`, 'dev', BRIDGE));
  ended(await ip('link', 'set', BRIDGE, 'up'));
}

async function cleanStorage(): Promise<void> {
  const names = (await buildah('containers', '--quiet', '--noheading', '--filter', `name=${PREFIX}`)).split('\n');
  for (const name of names.filter((one) => one !== '')) await buildah('rm', name);
  // Layers of earlier versions of the images. What the tagged ones are made of stays, so the next build is quick.
  ended(await run(['sh', IMAGE, 'prune'], { timeout: 600_000, env: buildEnv() }));
}

function ip(...words: string[]): Promise<RunResult> {
  return run(['ip', ...words], { timeout: 5000 });
}

function ended(result: RunResult): string {
  if (result.code !== 0) throw new Error(`${sayRun(result)}\n${result.stderr}`);
  return result.stdout.trim();
}

async function gone(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await gone(child);
}
