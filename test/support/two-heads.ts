/**
 * Two head nodes on one machine: the service as real processes that share a cloud (file-cloud.ts), a batch system (a
 * shell file, BATCH_SYSTEM=script) and a folder of state. Every change either of them makes is written down with its
 * name, so that a test can say who did what.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeView, StatusView } from '../../src/controller/view.ts';
import { apiClient } from '../../src/service/client.ts';

const ROOT = join(import.meta.dirname, '../..');
const FILE_CLOUD = join(import.meta.dirname, 'file-cloud.ts');
export const HOSTS = ['c1', 'c2'];

export interface Head {
  readonly name: string;
  readonly pid: number;
  log(): string;
  signal(name: NodeJS.Signals): void;
  readonly exited: Promise<number | null>;
  status(): Promise<StatusView>;
  nodes(): Promise<NodeView[]>;
}

export interface TwoHeads {
  readonly dir: string;
  /** @param flags of `run` */
  start(name: string, settings?: Readonly<Record<string, string | number>>, ...flags: string[]): Head;
  /** Text of hybrid-cloud.yaml for heads that start from now on. */
  yaml(text: string): void;
  /** Jobs that wait, each for one node. */
  jobs(...ids: string[]): void;
  /** Creates of this head are on their way until they are let through, whatever becomes of the head. */
  late(name: string): void;
  letThrough(name: string): void;
  /** A create of this head has reached the cloud. */
  arrived(name: string): boolean;
  /** What the cloud has. */
  machines(): { id: string; hostname: string; ip: string; lease: string }[];
  /** `A create`, `B join c1`... in order. */
  changes(): string[];
  /** Is the node open for jobs? */
  open(host: string): boolean;
  /** Sets the wall clock of both heads, as seen by them: so many ms off the real one. */
  wall(off: number): void;
  /** A child that runs the command line against one head. @returns its exit code and all it printed */
  cli(head: Head, ...args: string[]): Promise<{ code: number | null; text: string }>;
}

/** Taken down when the test ends; also a stopped process is killed then. */
export function twoHeads(t: { after(close: () => Promise<void>): void }): TwoHeads {
  const dir = mkdtempSync(join(tmpdir(), 'hc-heads-'));
  const children: { child: ChildProcess; exited: Promise<number | null> }[] = [];
  t.after(async () => {
    for (const { child } of children) child.kill('SIGKILL');
    await Promise.all(children.map(({ exited }) => exited));
    rmSync(dir, { recursive: true, force: true });
  });
  for (const folder of ['cloud', 'open']) mkdirSync(join(dir, folder));
  for (const host of HOSTS) writeFileSync(join(dir, 'open', host), '');
  for (const file of ['changes', 'jobs']) writeFileSync(join(dir, file), '');
  const wall = (off: number) => writeFileSync(join(dir, 'wall.off'), String(off));
  wall(0);
  writeFileSync(join(dir, 'world.mjs'), world(dir));

  let yaml = '';

  function start(name: string, settings: Readonly<Record<string, string | number>> = {}, ...flags: string[]): Head {
    const config = join(dir, `config-${name}`);
    const socket = join(dir, `${name}.sock`);
    mkdirSync(config, { recursive: true });
    const hosts = HOSTS.map((host, index) => [`2001:db8::${index + 1}`, host]);
    if (yaml !== '') writeFileSync(join(config, 'hybrid-cloud.yaml'), yaml);
    writeFileSync(join(config, 'hosts.json'), JSON.stringify(Object.fromEntries(hosts)));
    writeFileSync(join(config, 'batch.sh'), batch(dir, name), { mode: 0o755 });
    writeFileSync(join(config, 'cloud'), cloud(dir, name), { mode: 0o755 });
    const env = {
      BATCH_SYSTEM: 'script',
      BATCH_SCRIPT: join(config, 'batch.sh'),
      CLOUD: 'command',
      CLOUD_COMMAND: join(config, 'cloud'),
      BOOTSTRAP: 'none',
      STATE_DIR: join(dir, 'state'),
      API_SOCKET: socket,
      POLL_INTERVAL: 1,
      TAKEOVER_TIME: 5,
      CLEANUP_NODE_WAIT_TIME: 600,
      ...settings,
    };
    writeFileSync(
      join(config, 'env'),
      Object.entries(env)
        .map(([key, value]) => `${key}=${value}\n`)
        .join(''),
    );
    const child = spawn(
      process.execPath,
      [
        '--disable-warning=ExperimentalWarning',
        `--import=${join(dir, 'world.mjs')}`,
        join(ROOT, 'src/main.ts'),
        'run',
        ...flags,
        '--config-dir',
        config,
      ],
      { env: { PATH: process.env.PATH, HOME: dir }, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let text = '';
    child.stderr.on('data', (chunk) => {
      text += String(chunk);
    });
    const exited = new Promise<number | null>((resolve) => child.on('close', (code) => resolve(code)));
    children.push({ child, exited });
    const api = apiClient(socket);
    return {
      name,
      pid: child.pid ?? 0,
      log: () => text,
      signal: (signal) => void child.kill(signal),
      exited,
      status: () => api.get<StatusView>('/status', { limit: 3000 }),
      nodes: () => api.get<NodeView[]>('/nodes', { limit: 3000 }),
    };
  }

  return {
    dir,
    start,
    jobs: (...ids) => writeFileSync(join(dir, 'jobs'), ids.map((id) => `${id}\n`).join('')),
    late: (name) => writeFileSync(join(dir, `late-${name}`), ''),
    letThrough: (name) => rmSync(join(dir, `late-${name}`)),
    arrived: (name) => existsSync(join(dir, `arrived-${name}`)),
    machines() {
      const file = join(dir, 'cloud/machines.json');
      return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
    },
    changes: () =>
      readFileSync(join(dir, 'changes'), 'utf8')
        .split('\n')
        .filter((line) => line !== ''),
    wall,
    yaml(text) {
      yaml = text;
    },
    open: (host) => existsSync(join(dir, 'open', host)),
    cli(head, ...args) {
      const child = spawn(
        process.execPath,
        [
          '--disable-warning=ExperimentalWarning',
          join(ROOT, 'src/main.ts'),
          ...args,
          '--socket',
          join(dir, `${head.name}.sock`),
        ],
        { env: { PATH: process.env.PATH, HOME: dir }, stdio: ['ignore', 'pipe', 'pipe'] },
      );
      let text = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (chunk) => {
          text += String(chunk);
        });
      }
      return new Promise((resolve) => child.on('close', (code) => resolve({ code, text })));
    },
  };
}

/** Notes something a test did among the changes. */
export function mark(heads: TwoHeads, text: string): void {
  appendFileSync(join(heads.dir, 'changes'), `${text}\n`);
}

/**
 * A module that is loaded first: the wall clock can be set, and the nodes' addresses, kept for examples, lead nowhere
 * without a packet on any network.
 */
function world(dir: string): string {
  return `import { readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
const now = Date.now;
Date.now = () => now() + Number(readFileSync('${dir}/wall.off', 'utf8') || 0);
const { connect } = net;
net.connect = (...args) => {
  if (!String(args[0]?.host).startsWith('2001:db8:')) return connect(...args);
  const socket = new net.Socket();
  setImmediate(() => socket.destroy(Object.assign(new Error('no way'), { code: 'ENETUNREACH' })));
  return socket;
};
syncBuiltinESMExports();
`;
}

/** The cloud's program of one head: the shared cloud, with its changes written down. */
function cloud(dir: string, name: string): string {
  return `#!/bin/sh
[ "$1" = list ] || echo "${name} $1" >>'${dir}/changes'
while [ "$1" = create ] && [ -e '${dir}/late-${name}' ]; do sleep 0.2; done
'${process.execPath}' --disable-warning=ExperimentalWarning '${FILE_CLOUD}' '${dir}/cloud' "$1"
code=$?
[ "$1" != create ] || : >'${dir}/arrived-${name}'
exit $code
`;
}

/** A batch system in files: a node is there when its machine is, and open when its file in open/ is. Jobs only wait. */
function batch(dir: string, name: string): string {
  return `check_version() { echo 'files 1.0'; }
join_cluster() { echo "${name} join $1" >>'${dir}/changes'; : >'${dir}/open/'"$1"; }
leave_cluster() { echo "${name} leave $1" >>'${dir}/changes'; rm -f '${dir}/open/'"$1"; }
get_status() {
  local host lease state closed jobs= nodes=
  while read -r id; do jobs="$jobs\${jobs:+,}{\\"id\\":\\"$id\\",\\"state\\":\\"waiting\\",\\"exclusive\\":true}"; done <'${dir}/jobs'
  for host in ${HOSTS.join(' ')}; do
    lease=$( (tr '{' '\\n' <'${dir}/cloud/machines.json' || true) 2>/dev/null | sed -n "s/.*\\"hostname\\":\\"$host\\".*\\"lease\\":\\"\\([^\\"]*\\)\\".*/\\1/p")
    closed=ours
    [ -e '${dir}/open/'"$host" ] && closed=no
    state=down
    if [ -n "$lease" ]; then state=drained; [ $closed = no ] && state=idle; fi
    nodes="$nodes\${nodes:+,}{\\"host\\":\\"$host\\",\\"state\\":\\"$state\\",\\"closed\\":\\"$closed\\",\\"cpus\\":4,\\"registration\\":\\"at $lease\\"}"
  done
  echo "{\\"jobs\\":[$jobs],\\"nodes\\":[$nodes]}"
}
`;
}
