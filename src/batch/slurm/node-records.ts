/**
 * Reads `scontrol -o -d show node LIST`: one line per node, and "Node c9 not found" for names Slurm does not know (then
 * scontrol ends with 1, also when it printed all others). `-d` adds GresUsed=, in every release; AllocTRES= names generic
 * resources only where AccountingStorageTRES lists them.
 */

import { type Gres, NO_GRES, parseGres, parseTres } from './gres.ts';
import { own, remember } from './keep.ts';

/** One node as scontrol printed it, nothing interpreted but numbers and lists. */
export interface NodeRecord {
  readonly host: string;
  /** `IDLE+DRAIN`, `DOWN*+DRAIN`... */
  readonly state: string;
  readonly cpus: number;
  readonly cpusAllocated: number;
  readonly memoryMiB: number;
  readonly memoryAllocatedMiB: number;
  readonly gres: Gres;
  /** What of it jobs have. Null when Slurm does not tell. */
  readonly gresUsed: Gres | null;
  readonly features: readonly string[];
  readonly partitions: readonly string[];
  /** SlurmdStartTime as printed, or null for `None` and `Unknown`. */
  readonly startTime: string | null;
  /** Without the ` [user@time]` behind it. */
  readonly reason: string;
}

export interface NodeReading {
  readonly records: ReadonlyMap<string, NodeRecord>;
  readonly notFound: ReadonlySet<string>;
  /** Hosts with a record that cannot be read, or with two of them, and what is wrong. */
  readonly broken: ReadonlyMap<string, string>;
  /** The last line has no end: the answer was cut. */
  readonly cut: boolean;
}

export function readNodes(stdout: string, stderr = ''): NodeReading {
  const records = new Map<string, NodeRecord>();
  const notFound = new Set<string>();
  const broken = new Map<string, string>();
  const lists = makeLists();
  for (const line of logicalLines(stdout)) {
    const host = /^NodeName=(\S+)/.exec(line)?.[1];
    if (host === undefined) continue;
    const record = readRecord(host, line, lists);
    if (typeof record === 'string') broken.set(host, record);
    else if (records.has(host)) broken.set(host, 'two records');
    else records.set(host, record);
  }
  for (const match of `${stdout}\n${stderr}`.matchAll(/^Node (\S+) not found$/gm)) notFound.add(match[1] ?? '');
  for (const host of broken.keys()) records.delete(host);
  return { records, notFound, broken, cut: stdout !== '' && !stdout.endsWith('\n') };
}

/** A reason or comment can hold a line break; what does not begin like a record belongs to the one before. */
function logicalLines(stdout: string): string[] {
  const lines: string[] = [];
  for (const line of stdout.split('\n')) {
    if (/^(NodeName=|Node \S+ not found$)/.test(line) || lines.length === 0) lines.push(line);
    else lines.push(`${lines.pop()} ${line}`);
  }
  return lines;
}

/** The texts people write stand at the end of a record and may look like anything: keys are read before them only. */
function readRecord(host: string, line: string, lists: Lists): NodeRecord | string {
  const free = line.search(/\s(Reason|Comment|Extra)=/);
  const head = free < 0 ? line : line.slice(0, free);
  const value: Value = (key) => new RegExp(`(?:^|\\s)${key}=(\\S*)`).exec(head)?.[1] ?? null;
  const number = (key: string): number | null => {
    const text = value(key);
    return text !== null && /^\d+$/.test(text) ? Number(text) : null;
  };
  const state = value('State');
  const cpus = number('CPUEfctv') ?? number('CPUTot');
  const cpusAllocated = number('CPUAlloc');
  const memoryMiB = number('RealMemory');
  const memoryAllocatedMiB = number('AllocMem');
  const start = value('SlurmdStartTime');
  if (!state) return 'no State=';
  if (cpus === null || cpusAllocated === null || number('CPUTot') === null) return 'no CPUTot= or CPUAlloc=';
  if (memoryMiB === null || memoryAllocatedMiB === null) return 'no RealMemory= or AllocMem=';
  // it stands behind State=: a record that ends before it was cut, and its state may be cut as well
  if (start === null) return 'no SlurmdStartTime=';
  // what stays of a node must not hold on to the whole answer
  return {
    host: own(host),
    state: lists.text(state),
    cpus,
    cpusAllocated,
    memoryMiB,
    memoryAllocatedMiB,
    ...lists.gres(value),
    features: lists.features(value),
    partitions: (value('Partitions') ?? '').split(',').filter((name) => name !== ''),
    startTime: start === 'None' || start === 'Unknown' || start === '' ? null : own(start),
    reason: lists.text(readReason(line)),
  };
}

type Value = (key: string) => string | null;

/** Hosts of one kind have equal lists, states and reasons: each is read and kept once. */
type Lists = ReturnType<typeof makeLists>;

function makeLists() {
  const readGres = remember(parseGres);
  const readTres = remember(parseTres);
  const split = remember((text: string): readonly string[] =>
    text
      .split(',')
      .map(own)
      .filter((word) => word !== ''),
  );
  return {
    text: remember(own),
    gres(value: Value): Pick<NodeRecord, 'gres' | 'gresUsed'> {
      const gres = readGres(value('Gres') ?? '');
      if (gres === NO_GRES) return { gres, gresUsed: NO_GRES };
      const used = value('GresUsed');
      if (used !== null) return { gres, gresUsed: readGres(used) };
      const configured = readTres(value('CfgTRES') ?? '');
      const told = Object.keys(gres).every((kind) => kind.includes(':') || configured[kind] !== undefined);
      return { gres, gresUsed: told ? readTres(value('AllocTRES') ?? '') : null };
    },
    /** A node that is not up may have no active features: then those it will have. */
    features(value: Value): readonly string[] {
      const [active, available] = [value('ActiveFeatures'), value('AvailableFeatures')];
      const text = [active, available].find((one) => one !== null && one !== '' && one !== '(null)');
      return split(text ?? '');
    },
  };
}

function readReason(line: string): string {
  const text = /\sReason=(.*)$/s.exec(line)?.[1] ?? '';
  return text.replace(/ \[[^[\]\s]*@[^[\]]*\](\s+(Comment|Extra)=.*)?\s*$/s, '').trim();
}
