/**
 * A real Grid Engine in one temporary directory, for tests: sge_qmaster with a cell of its own, and nodes that are
 * network + UTS + PID + mount namespaces on a bridge of their own, each with an address, a host name and an sge_execd.
 * Nothing of the machine's own Grid Engine is touched. Needs root.
 *
 * The bridge and the names of the namespaces are fixed (`hcge0`, `hcge-c1`...), so only one world exists at a time: a
 * lock file names its owner, a later one waits, and clears away what a killed one left behind. Every daemon dies with
 * the process that started it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, closeSync, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RunResult, run } from '../../src/lib/run.ts';

const BRIDGE = 'hcge0';
const SUBNET = '10.84.0';
const PORT = 24000;
const LOCK = '/run/hcge0.lock';
const CELL_SCRIPT = join(import.meta.dirname, '../../lab/gridengine/cell.sh');
const QMASTER = '/usr/lib/gridengine/sge_qmaster';
const EXECD = '/usr/lib/gridengine/sge_execd';
const PROGRAMS = [QMASTER, EXECD, '/usr/bin/qstat', '/usr/bin/qsub'];
const TOOLS = ['ip', 'nsenter', 'unshare', 'setpriv'];
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface GridEngineWorldOptions {
  /** c1 ... cN. Default 3. */
  readonly hosts?: number;
  /** Slots of each node. Default 4. */
  readonly slots?: number;
  /** Memory of each node, MiB. Default 1000. */
  readonly memoryMiB?: number;
  /** Seconds until a silent sge_execd is unreachable. Default 6. */
  readonly unheard?: number;
}

export interface GridEngineWorld extends AsyncDisposable {
  readonly dir: string;
  readonly hosts: readonly string[];
  readonly queue: string;
  /** Words that run a command as on the head node. */
  readonly head: readonly string[];
  /** Runs a command of Grid Engine's and fails unless it ends with 0. @returns its standard output. */
  command(...words: string[]): Promise<string>;
  startNode(host: string): Promise<void>;
  stopNode(host: string): Promise<void>;
  startServer(): Promise<void>;
  stopServer(): Promise<void>;
  dispose(): Promise<void>;
}

/** Why no world can be made here, or null when it can. */
export function whyNoGridEngineWorld(): string | null {
  if (process.getuid?.() !== 0) return 'needs root';
  const missing = PROGRAMS.filter((program) => !existsSync(program));
  missing.push(...TOOLS.filter((tool) => !PATH.split(':').some((dir) => existsSync(join(dir, tool)))));
  return missing.length === 0 ? null : `not installed: ${missing.join(', ')}`;
}

export async function makeGridEngineWorld(options: GridEngineWorldOptions = {}): Promise<GridEngineWorld> {
  const count = options.hosts ?? 3;
  const hosts = Array.from({ length: count }, (_, i) => `c${i + 1}`);
  await using undo = new AsyncDisposableStack();
  await takeLock();
  undo.defer(() => rmSync(LOCK, { force: true }));
  await clearNetwork();

  const dir = await mkdtemp(join(tmpdir(), 'hcge-'));
  undo.defer(() => rm(dir, { recursive: true, force: true }));
  // an ordinary user of the test must reach the cell
  chmodSync(dir, 0o755);
  const cell = join(dir, 'cell');
  const head = [join(cell, 'head')];
  const cellEnv = {
    ...{ PATH, HOME: dir, LANG: 'C.UTF-8', CELL_DIR: cell, CELL_NET: SUBNET, CELL_FIRST: '11', CELL_REPORT: '2' },
    ...{ CELL_HOSTS: String(count), CELL_PORT: String(PORT), CELL_SLOTS: String(options.slots ?? 4) },
    ...{ CELL_MEMORY_MIB: String(options.memoryMiB ?? 1000), CELL_UNHEARD: String(options.unheard ?? 6) },
  };
  const cellScript = async (what: string): Promise<void> => {
    const result = await run(['sh', CELL_SCRIPT, what], { timeout: 60_000, env: cellEnv });
    if (result.code !== 0) throw new Error(`cell.sh ${what}: ${said(result)}`);
  };
  const daemons = new Map<string, ChildProcess>();
  undo.defer(() => Promise.all([...daemons.keys()].map((name) => stop(daemons, name))).then(() => {}));
  undo.defer(clearNetwork);
  await makeBridge();
  await cellScript('make');

  const start = (name: string, words: readonly string[]): void => {
    const log = openSync(join(dir, `${name}.out`), 'a');
    const env = { PATH, HOME: dir, LANG: 'C.UTF-8' };
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...words], { env, cwd: dir, stdio: ['ignore', log, log] });
    closeSync(log);
    daemons.set(name, child);
  };
  const command = async (...words: string[]): Promise<string> => {
    const result = await run([...head, ...words], { timeout: 20_000, cwd: dir });
    if (result.code !== 0) throw new Error(`${words.join(' ')} ended with ${result.code}: ${said(result)}`);
    return result.stdout;
  };
  const world: GridEngineWorld = {
    dir,
    hosts,
    queue: 'cloud',
    head,
    command,
    async startServer() {
      start('qmaster', [...head, QMASTER]);
      await until('qmaster', async () => (await run([...head, 'qconf', '-sh'], { timeout: 5000 })).code === 0);
    },
    async stopServer() {
      await stop(daemons, 'qmaster');
    },
    async startNode(host) {
      const number = hosts.indexOf(host) + 1;
      if (number === 0) throw new Error(`no host ${host}`);
      await makeNamespace(host, number);
      // /run is the node's own; execd changes its user, and so forgets whose death it should follow: the namespace ends it
      const script = `hostname ${host}; mount -t tmpfs tmpfs /run; exec ${head[0]} ${EXECD}`;
      const inside = ['--uts', '--pid', '--mount', '--fork', '--mount-proc', '--kill-child', 'sh', '-c', script];
      start(host, ['nsenter', `--net=/run/netns/hcge-${host}`, 'unshare', ...inside]);
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
  await cellScript('configure');
  const held = undo.move();
  return world;
}

/** The ends of the daemons' logs, for the message of a failed test. */
export async function worldLogs(world: GridEngineWorld): Promise<string> {
  const tail = async (name: string): Promise<string> =>
    (await readFile(join(world.dir, name), 'utf8').catch(() => '')).split('\n').slice(-15).join('\n');
  return `qmaster:\n${await tail('cell/qmaster/messages')}\n${await tail('qmaster.out')}\nc1:\n${await tail('c1.out')}`;
}

/** Waits, bounded, until something is so. */
export async function until(what: string, test: () => boolean | Promise<boolean>, seconds = 30): Promise<void> {
  const end = performance.now() + seconds * 1000;
  while (!(await test())) {
    if (performance.now() > end) throw new Error(`${what}: not within ${seconds} s`);
    await sleep(100);
  }
}

async function takeLock(): Promise<void> {
  await until(
    'another world of namespaces on this machine',
    () => {
      try {
        writeFileSync(LOCK, `${process.pid}\n`, { flag: 'wx' });
        return true;
      } catch {
        const owner = Number(safeRead(LOCK));
        if (!(owner > 0) || !existsSync(`/proc/${owner}`)) rmSync(LOCK, { force: true });
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
  const space = `hcge-${host}`;
  const cable = `hcgev${number}`;
  // the same hardware address in every life, so that nobody's ARP table is wrong in the next one
  const address = ['address', `02:48:43:47:45:${number.toString(16).padStart(2, '0')}`];
  await ip('netns', 'add', space);
  await ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', 'eth0', ...address, 'netns', space);
  await ip('link', 'set', cable, 'master', BRIDGE, 'up');
  await ip('-n', space, 'addr', 'add', `${SUBNET}.${10 + number}/24`, 'dev', 'eth0');
  await ip('-n', space, 'link', 'set', 'eth0', 'up');
  await ip('-n', space, 'link', 'set', 'lo', 'up');
}

async function clearNamespace(host: string): Promise<void> {
  await run(['ip', 'link', 'del', `hcgev${host.slice(1)}`], { timeout: 5000 });
  await run(['ip', 'netns', 'del', `hcge-${host}`], { timeout: 5000 });
}

async function clearNetwork(): Promise<void> {
  const spaces = (await run(['ip', 'netns', 'list'], { timeout: 5000 })).stdout.match(/^hcge-c\d+/gm) ?? [];
  for (const space of spaces) await clearNamespace(space.slice('hcge-'.length));
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
  // a node is killed like a machine that loses power; the qmaster may write its state first
  child.kill(name === 'qmaster' ? 'SIGTERM' : 'SIGKILL');
  const late = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await gone;
  clearTimeout(late);
}

function said(result: RunResult): string {
  return (result.stderr || result.stdout).trim().slice(0, 500);
}
