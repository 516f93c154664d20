/**
 * A small cluster behind the stand-ins for Torque and PBS: nodes, moms, jobs and a scheduler, kept in one file, so that
 * every command is a process of its own, as the real ones are. Time is the machine's: what has become due since the last
 * command happens before the next one answers.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { locked } from '../locked.ts';

export interface StandInNode {
  name: string;
  cpus: number;
  memoryMiB: number;
  properties: string[];
  offline: boolean;
  note: string;
  /** Its daemon lives. */
  mom: boolean;
  /** Epoch ms of its daemon's last report; null = never seen. */
  reported: number | null;
  /** Epoch ms of its next report, while it lives. */
  due: number;
  down: boolean;
  /** Epoch seconds. */
  changed: number;
  lastState: string;
}

export interface StandInJob {
  number: number;
  index: number | null;
  name: string;
  owner: string;
  queue: string;
  nodes: number;
  cpusPerNode: number;
  memoryMiB: number;
  exclusive: boolean;
  held: boolean;
  limit: number | null;
  args: string;
  /** What it asks for, as its family writes it. */
  request: Record<string, string>;
  at: number;
  hosts: string[];
  /** Times of an array's tasks: `1-6`. */
  range: string | null;
}

export interface StandIn {
  family: 'torque' | 'pbs';
  up: boolean;
  scheduling: boolean;
  queryOtherJobs: boolean;
  queues: string[];
  next: number;
  nodes: StandInNode[];
  jobs: StandInJob[];
  /** How often the scheduler was told to look. */
  nudged: number;
  /** ms between two reports of a mom, and until a silent one is missed. */
  report: number;
  missed: number;
}

export function newStandIn(
  family: StandIn['family'],
  hosts: readonly string[],
  cpus: number,
  memoryMiB: number,
): StandIn {
  const node = (name: string): StandInNode => ({
    ...{
      name,
      cpus,
      memoryMiB,
      properties: ['cloud'],
      offline: false,
      note: '',
      mom: false,
      reported: null,
      due: 0,
      down: true,
    },
    ...{ changed: 0, lastState: '' },
  });
  return {
    ...{ family, up: true, scheduling: true, queryOtherJobs: true, queues: ['cloud', 'batch'], next: 1, jobs: [] },
    ...{ nodes: hosts.map(node), nudged: 0, report: 700, missed: family === 'torque' ? 1500 : 0 },
  };
}

export function load(path: string): StandIn {
  return JSON.parse(readFileSync(path, 'utf8')) as StandIn;
}

export function save(path: string, world: StandIn): void {
  writeFileSync(`${path}.new`, JSON.stringify(world));
  renameSync(`${path}.new`, path);
}

/** Changes the cluster from outside: a machine that starts, a server that stops. */
export function change(path: string, how: (world: StandIn) => void): void {
  locked(`${path}.lock`, () => {
    const world = load(path);
    how(world);
    save(path, world);
  });
}

/** Lets happen what has become due. */
export function tick(world: StandIn, now = Date.now()): void {
  for (const node of world.nodes) {
    const silent = node.reported === null ? Number.POSITIVE_INFINITY : now - node.reported;
    if (node.mom && now >= node.due) {
      node.reported = now;
      node.due = now + world.report;
      node.down = false;
    }
    if (!node.mom && silent > world.missed) node.down = true;
  }
  schedule(world);
  for (const node of world.nodes) {
    const state = `${node.down}${node.offline}${jobsOn(world, node.name).length}`;
    if (state !== node.lastState && node.lastState !== '') node.changed = Math.floor(now / 1000);
    node.lastState = state;
  }
}

export function jobsOn(world: StandIn, host: string): StandInJob[] {
  return world.jobs.filter((job) => job.hosts.includes(host));
}

export function idOf(world: StandIn, job: StandInJob): string {
  return `${job.number}${job.index === null ? '' : `[${job.index}]`}.${SERVER[world.family]}`;
}

export const SERVER = { torque: 'tqhead', pbs: 'pbhead' } as const;

/** Is this waiting task kept back by the limit of its array? */
export function limited(world: StandIn, job: StandInJob): boolean {
  if (job.limit === null || job.hosts.length > 0) return false;
  const mates = world.jobs.filter((one) => one.number === job.number);
  const before = mates.filter(
    (one) => one.hosts.length > 0 || (one.hosts.length === 0 && (one.index ?? 0) < (job.index ?? 0)),
  );
  return before.length >= job.limit;
}

function schedule(world: StandIn): void {
  if (!world.scheduling) return;
  for (const job of world.jobs) {
    if (job.hosts.length > 0 || job.held || limited(world, job)) continue;
    const fits = world.nodes.filter((node) => {
      const others = jobsOn(world, node.name);
      if (node.down || node.offline || node.reported === null) return false;
      if (others.some((one) => one.exclusive) || (job.exclusive && others.length > 0)) return false;
      const cpus = node.cpus - others.reduce((sum, one) => sum + one.cpusPerNode, 0);
      const memory = node.memoryMiB - others.reduce((sum, one) => sum + one.memoryMiB, 0);
      return cpus >= job.cpusPerNode && memory >= job.memoryMiB;
    });
    if (fits.length >= job.nodes) job.hosts = fits.slice(0, job.nodes).map((node) => node.name);
  }
}

/** Ends jobs by `5`, `5[]`, `5[2]`, with or without the server behind it. @returns false when there is none */
export function end(world: StandIn, id: string): boolean {
  const match = /^(\d+)(?:\[(\d*)\])?/.exec(id);
  const before = world.jobs.length;
  world.jobs = world.jobs.filter(
    (job) =>
      job.number !== Number(match?.[1]) ||
      (match?.[2] !== undefined && match[2] !== '' && job.index !== Number(match[2])),
  );
  return world.jobs.length < before;
}

/** Words after options, as getopt reads them: `takes` names the letters with a value. */
export function options(words: readonly string[], takes: string): { flags: Map<string, string[]>; rest: string[] } {
  const flags = new Map<string, string[]>();
  const rest: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    if (!word.startsWith('-') || word === '-') rest.push(word);
    else if (word.startsWith('--')) flags.set(word, []);
    else {
      for (let at = 1; at < word.length; at++) {
        const letter = word.charAt(at);
        const values = flags.get(letter) ?? [];
        if (takes.includes(letter)) {
          values.push(at + 1 < word.length ? word.slice(at + 1) : (words[++i] ?? ''));
          at = word.length;
        }
        flags.set(letter, values);
      }
    }
  }
  return { flags, rest };
}

export interface Said {
  readonly out?: string;
  readonly err?: string;
  readonly code?: number;
}

/** What a command of a family's does. */
export type Command = (world: StandIn, words: readonly string[], isOperator: boolean) => Said;

/** The whole process: reads the cluster, lets the command act, keeps the cluster. */
export function serve(commands: Readonly<Record<string, Command>>, down: (name: string) => Said): void {
  const [name = '', ...words] = process.argv.slice(2);
  const path = process.env.STAND_IN_STATE ?? '';
  const command = commands[name];
  if (!command) throw new Error(`no command ${name}`);
  const answer = locked(`${path}.lock`, (): Said => {
    const world = load(path);
    if (words[0] !== '--version' && !world.up) return down(name);
    tick(world);
    const said = command(world, words, process.env.STAND_IN_USER !== 'hpcuser');
    tick(world);
    save(path, world);
    return said;
  });
  say(answer);
}

function say({ out = '', err = '', code = 0 }: Said): void {
  process.stdout.write(out);
  process.stderr.write(err);
  process.exitCode = code;
}
