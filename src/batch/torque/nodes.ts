/**
 * Nodes from `pbsnodes -x`.
 *
 * Seen with pbs_server 6.1.3:
 * - never booted: `down,offline,MOM-list-not-sent`, some seconds later `down`; no `status` all the while
 * - after a restart of pbs_server: `down` without `status` until the mom reports again; offline and note survive
 * - a node that is half used is `free`; its jobs stand in `jobs`
 * - a dead mom stays `free` for 150 to 300 s; its old `status` stays, also when the node is `down`
 */
import { oneLine } from '../../lib/log.ts';
import { floorMiB, parseCount } from '../pbs-family/amounts.ts';
import type { NodeFacts, NodeReading } from '../pbs-family/node.ts';
import { closedOf, type Meaning, readState } from '../pbs-family/words.ts';
import { plain, readXml, type Values } from './xml.ts';

/** Every word pbs_server knows (attr_node_func.c). A word that is not here makes the node `unknown`. */
const WORDS: Readonly<Record<string, Meaning>> = {
  free: {},
  offline: {},
  down: { down: true },
  'state-unknown': { silent: true },
  'MOM-list-not-sent': { silent: true },
  'job-exclusive': { full: true, works: true },
  // a shared node: other jobs may come
  'job-sharing': { works: true },
  // its mom reports more load than its $max_load: work the server may not know of, and no job comes
  busy: { full: true, works: true },
  reserve: { aside: true },
};

/** @returns `garbled: true` when the document is cut or none */
export function readNodes(text: string): NodeReading | 'garbled' {
  const { records, broken: texts, cut } = readXml(text, 'Node');
  if (cut) return 'garbled';
  const nodes = new Map<string, NodeFacts>();
  const broken = new Map<string, string>();
  const lost: string[] = [];
  for (const values of records) {
    const host = plain(values.get('name') ?? '');
    if (!PLAIN.test(host)) {
      lost.push(`a node record without a name that can be read: ${host}`);
      continue;
    }
    const facts = readNode(host, values);
    if (typeof facts === 'string') broken.set(host, facts);
    else if (nodes.has(host)) broken.set(host, 'two records');
    else nodes.set(host, facts);
  }
  for (const record of texts) {
    const host = /<name>([^<>]*)<\/name>/.exec(record)?.[1] ?? '';
    if (PLAIN.test(host) && !nodes.has(host)) broken.set(host, 'a damaged record');
    else lost.push(`a node record: ${oneLine(record)}`);
  }
  for (const host of broken.keys()) nodes.delete(host);
  return { nodes, broken, lost };
}

const PLAIN = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;

function readNode(host: string, values: Values): NodeFacts | string {
  const words = plain(values.get('state') ?? '');
  const cpus = parseCount(values.get('np'));
  if (words === '') return 'no state';
  if (cpus === null) return 'no np';
  const slots = readJobs(plain(values.get('jobs') ?? ''));
  if (!slots) return `jobs ${JSON.stringify((values.get('jobs') ?? '').slice(0, 80))}`;
  const status = readStatus(plain(values.get('status') ?? ''));
  if (!status) return `status ${JSON.stringify((values.get('status') ?? '').slice(0, 80))}`;
  const list = words.split(',').map((word) => word.trim());
  const { readable, any } = readState([list], WORDS);
  const note = oneLine(plain(values.get('note') ?? '')).trim();
  const down = any('down');
  return {
    host,
    address: host,
    words,
    readable,
    down,
    silent: any('silent'),
    closed: closedOf(isOffline(list, note) || !readable, any('aside'), note),
    full: any('full'),
    works: any('works'),
    // what a mom said before it was lost tells nothing about now; while it lives it may know of a job that the server
    // has already ended
    jobs: down ? slots.jobs : [...new Set([...slots.jobs, ...status.jobs])],
    cpus,
    cpusUsed: slots.used,
    memoryMiB: status.memoryMiB,
    memoryUsedMiB: null,
    registration: status.rectime,
    queue: null,
    properties: [host, ...plain(values.get('properties') ?? '').split(',')]
      .map((one) => one.trim())
      .filter((one) => one !== ''),
    gpus: parseCount(values.get('gpus')) ?? 0,
    gpusUsed: null,
    reason: note,
  };
}

/** A node just created is offline until its server has told all moms of it (2 to 11 s): nobody closed it. */
function isOffline(words: readonly string[], note: string): boolean {
  return words.includes('offline') && !(words.includes('MOM-list-not-sent') && note === '');
}

/**
 * Slots and jobs: `0/12.srv, 1/12.srv` (4.x), `0-2/12.srv,3/13.srv` and `0,3/138.srv` (from 5 on). A comma separates
 * slots as well as jobs, so it is read from slash to slash.
 */
export function readJobs(text: string): { jobs: string[]; used: number } | null {
  const jobs = new Set<string>();
  let used = 0;
  let at = 0;
  const piece = /\s*(\d+(?:\s*[-,]\s*\d+)*)\/([^\s,/]+)\s*(,|$)/y;
  while (at < text.length) {
    piece.lastIndex = at;
    const match = piece.exec(text);
    if (!match) return null;
    for (const range of (match[1] ?? '').split(',')) {
      const [from, to] = range.split('-').map(Number);
      used += Math.max(1, (to ?? from ?? 0) - (from ?? 0) + 1);
    }
    jobs.add(match[2] ?? '');
    at = piece.lastIndex;
  }
  return { jobs: [...jobs], used };
}

interface Status {
  readonly rectime: string | null;
  readonly memoryMiB: number;
  readonly jobs: readonly string[];
}

/**
 * What the mom reported. It has a `state` of its own, which is not the node's.
 *
 * `rectime`, the server's time of the last report, is what we know a registration by: nothing in the status stays the
 * same through one life of a mom and differs in the next (addresses are fixed, the idle time counts from a boot that a
 * container shares with its host). It grows every 45 s while a mom lives, and that is enough: it is compared with the
 * value from before the machine was created, when the old mom is gone and its value stands still, so only a new report
 * makes the difference. A living old mom at that time would be one on a machine that the cloud says does not exist,
 * under an address at which nothing answered: the service makes sure of both before it creates.
 */
function readStatus(text: string): Status | null {
  if (text === '') return { rectime: null, memoryMiB: 0, jobs: [] };
  const rectime = /(?:^|,)rectime=(\d{1,12})(?:,|$)/.exec(text)?.[1];
  const memory = /(?:^|,)physmem=(\w+)(?:,|$)/.exec(text)?.[1];
  const list = /(?:^|,)jobs=(.*)$/s.exec(text)?.[1];
  if (rectime === undefined || list === undefined) return null;
  // newer moms put what a job has used behind its id: `41.srv(cput=0,mem=5kb)`
  const ids = list.replaceAll(/\([^()]*\)/g, ' ').replace(/,[a-z]\w*=.*$/s, '');
  const jobs = ids.split(/[\s,]+/).filter((id) => id !== '');
  return { rectime, memoryMiB: floorMiB(memory ?? '0') ?? 0, jobs };
}
