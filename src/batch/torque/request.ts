/**
 * What a job of Torque's asks for: `-l nodes=2:ppn=4:bigmem+1:ppn=2#excl`, `-l procs=5`, `-l ncpus=2`, `-l mem=2gb`, and
 * from 6.0 on `-L tasks=4:lprocs=2:memory=1gb:place=node`.
 */
import type { Ask } from '../../domain/job.ts';
import { parseCount, parseMiB } from '../pbs-family/amounts.ts';
import type { Wants } from '../pbs-family/job.ts';

export interface NodeGroup {
  readonly count: number;
  readonly ppn: number;
  readonly gpus: number;
  /** Properties, or the name of a host: the server tells them apart by what its nodes are called. */
  readonly names: readonly string[];
}

export interface NodesRequest {
  readonly groups: readonly NodeGroup[];
  readonly exclusive: boolean;
}

/** How GPUs are to be used; no properties, though they stand like some. */
const MODES: ReadonlySet<string> = new Set([
  'default',
  'exclusive',
  'exclusive_thread',
  'exclusive_process',
  'reseterr',
  'shared',
]);

/** @returns null when the text is not of this grammar */
export function parseNodes(text: string): NodesRequest | null {
  const [list = '', ...global] = text.trim().split('#');
  const everywhere = global.filter((word) => word !== 'excl' && !MODES.has(word));
  const groups: NodeGroup[] = [];
  for (const part of list.split('+')) {
    const [first = '', ...rest] = part.split(':').map((word) => word.trim());
    if (first === '') return null;
    const number = parseCount(first);
    const names = number === null ? [first] : [];
    let [ppn, gpus] = [1, 0];
    for (const word of rest) {
      const match = /^(ppn|procs|gpus|mics)=(\d{1,6})$/.exec(word);
      if (match) {
        if (match[1] === 'ppn') ppn = Number(match[2]);
        if (match[1] === 'gpus') gpus = Number(match[2]);
      } else if (word === '' || /[=\s]/.test(word)) return null;
      else if (!MODES.has(word)) names.push(word);
    }
    if (number === 0 || ppn === 0) return null;
    groups.push({ count: number ?? 1, ppn, gpus, names: [...names, ...everywhere] });
  }
  return { groups, exclusive: global.includes('excl') };
}

export interface Request {
  readonly ask: Ask;
  readonly wants: Wants | null;
}

/** @param value of the job's record: `Resource_List.nodes`, `L_Request`... @returns null when it cannot be read */
export function readRequest(value: (name: string) => string | undefined): Request | null {
  const tasks = value('L_Request') ?? value('req_information.task_count.0');
  const found = tasks === undefined ? oldRequest(value) : newRequest(value);
  if (!found) return null;
  const policy = value('Resource_List.naccesspolicy') ?? '';
  const alone = /^(singlejob|singletask|uniqueuser)$/i.test(policy) || value('node_exclusive') === 'True';
  return alone ? { ...found, ask: { ...found.ask, exclusive: true } } : found;
}

function oldRequest(value: (name: string) => string | undefined): Request | null {
  const listed = value('Resource_List.nodes');
  const procs = value('Resource_List.procs');
  const ncpus = value('Resource_List.ncpus');
  const memory = sizeOf(value('Resource_List.mem'));
  const each = sizeOf(value('Resource_List.pmem'));
  const nodes = listed === undefined ? null : parseNodes(listed);
  if (memory === null || each === null || (listed !== undefined && nodes === null)) return null;
  const groups = nodes?.groups ?? [{ count: 1, ppn: Math.max(1, parseCount(ncpus) ?? 1), gpus: 0, names: [] }];
  const hosts = groups.reduce((sum, group) => sum + group.count, 0);
  const cpus = groups.reduce((sum, group) => sum + group.count * group.ppn, 0);
  // of unequal groups the largest counts for all: too much room is found then, never too little
  const cpusPerNode = Math.max(...groups.map((group) => group.ppn));
  const spread = listed === undefined && procs !== undefined ? (parseCount(procs) ?? 0) : 0;
  return {
    ask: {
      nodes: hosts,
      cpus: Math.max(cpus, spread),
      cpusPerNode,
      memoryMiB: Math.max(Math.ceil(memory / hosts), each * cpusPerNode),
      exclusive: nodes?.exclusive === true,
      ...gresOf(Math.max(...groups.map((group) => group.gpus))),
    },
    wants: wantsOf(groups),
  };
}

/** The words the user gave to -L, each request in its own; without them, what the server made of it. */
function newRequest(value: (name: string) => string | undefined): Request | null {
  const text = value('L_Request');
  const requests = text === undefined ? stored(value) : text.split(/(?:^|\s)-L\s*/).filter((one) => one.trim() !== '');
  let nodes = 0;
  let cpus = 0;
  let cpusPerNode = 1;
  let memoryMiB = 0;
  let exclusive = false;
  let gpus = 0;
  const groups: NodeGroup[] = [];
  for (const request of requests) {
    const words = new Map(
      request
        .trim()
        .split(':')
        .map((word) => split(word)),
    );
    const tasks = parseCount(words.get('tasks'));
    if (tasks === null || tasks === 0) return null;
    const all = words.get('lprocs') === 'all' || words.get('place') === 'node';
    const lprocs = parseCount(words.get('lprocs') ?? '1') ?? 1;
    const memory = sizeOf(words.get('memory'));
    if (memory === null) return null;
    const perNode = parseCount(words.get('maxtpn')) ?? (all ? 1 : tasks);
    const hosts = Math.ceil(tasks / Math.max(1, perNode));
    nodes += hosts;
    cpus += tasks * lprocs;
    cpusPerNode = Math.max(cpusPerNode, lprocs);
    memoryMiB = Math.max(memoryMiB, memory);
    exclusive ||= all;
    gpus = Math.max(gpus, parseCount(words.get('gpus')) ?? 0);
    const feature = words.get('feature');
    groups.push({ count: hosts, ppn: lprocs, gpus: 0, names: feature === undefined ? [] : [feature] });
  }
  if (nodes === 0) return null;
  return { ask: { nodes, cpus, cpusPerNode, memoryMiB, exclusive, ...gresOf(gpus) }, wants: wantsOf(groups) };
}

function stored(value: (name: string) => string | undefined): string[] {
  const found: string[] = [];
  for (let i = 0; i < 64; i++) {
    const get = (name: string): string | undefined => value(`req_information.${name}.${i}`);
    const tasks = get('task_count');
    if (tasks === undefined) break;
    const words = [`tasks=${tasks}`];
    const lprocs = get('lprocs');
    const memory = get('memory') ?? get('total_memory');
    if (lprocs !== undefined) words.push(`lprocs=${lprocs}`);
    if (memory !== undefined) words.push(`memory=${memory}`);
    if (/node/.test(get('placement_type') ?? get('place') ?? '')) words.push('place=node');
    found.push(words.join(':'));
  }
  return found;
}

function split(word: string): [string, string] {
  const at = word.indexOf('=');
  return at < 0 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)];
}

function sizeOf(text: string | undefined): number | null {
  return text === undefined ? 0 : parseMiB(text);
}

/** The group that asks for most by name. */
function wantsOf(groups: readonly NodeGroup[]): Wants | null {
  const named = groups.filter((group) => group.names.length > 0);
  const most = named.toSorted((a, b) => b.count - a.count)[0];
  if (!most) return null;
  const alike = groups.every((group) => group.names.join(':') === most.names.join(':'));
  const hosts = alike ? groups.reduce((sum, group) => sum + group.count, 0) : most.count;
  const others = [...new Set(named.filter((group) => group !== most).flatMap((group) => group.names))];
  return { names: most.names, hosts, all: alike, ...(alike || others.length === 0 ? {} : { others }) };
}

function gresOf(gpus: number): Pick<Ask, 'gres'> {
  return gpus === 0 ? {} : { gres: { gpu: gpus } };
}
