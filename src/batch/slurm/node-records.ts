/**
 * Reads `scontrol -o show node LIST`: one line per node, and "Node c9 not found" for names Slurm does not know (then
 * scontrol ends with 1, also when it printed all others).
 */

/** One node as scontrol printed it, nothing interpreted but numbers. */
export interface NodeRecord {
  readonly host: string;
  /** `IDLE+DRAIN`, `DOWN*+DRAIN`... */
  readonly state: string;
  readonly cpus: number;
  readonly cpusAllocated: number;
  readonly memoryMiB: number;
  readonly memoryAllocatedMiB: number;
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
  for (const line of logicalLines(stdout)) {
    const host = /^NodeName=(\S+)/.exec(line)?.[1];
    if (host === undefined) continue;
    const record = readRecord(host, line);
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
function readRecord(host: string, line: string): NodeRecord | string {
  const free = line.search(/\s(Reason|Comment|Extra)=/);
  const head = free < 0 ? line : line.slice(0, free);
  const value = (key: string): string | null => new RegExp(`(?:^|\\s)${key}=(\\S*)`).exec(head)?.[1] ?? null;
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
  return {
    host,
    state,
    cpus,
    cpusAllocated,
    memoryMiB,
    memoryAllocatedMiB,
    partitions: (value('Partitions') ?? '').split(',').filter((name) => name !== ''),
    startTime: start === 'None' || start === 'Unknown' || start === '' ? null : start,
    reason: readReason(line),
  };
}

function readReason(line: string): string {
  const text = /\sReason=(.*)$/s.exec(line)?.[1] ?? '';
  return text.replace(/ \[[^[\]\s]*@[^[\]]*\](\s+(Comment|Extra)=.*)?\s*$/s, '').trim();
}
