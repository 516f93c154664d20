/**
 * The accounting logs of Torque and PBS (`server_priv/accounting/YYYYMMDD`): `date;type;job;key=value key=value ...`.
 * Only the records of the jobs' ends (E) are used: they hold everything.
 */
import { pbsDuration, pbsMemory, whole } from './fields.ts';
import { type LineReader, type Sink, Unreadable } from './trace.ts';

const RECORD = /^\d{2}\/\d{2}\/\d{4} \d{2}:\d{2}:\d{2};([A-Za-z]);([^;]*);(.*)$/;

export function looksLikeTorque(line: string): boolean {
  return RECORD.test(line);
}

export function torqueReader(sink: Sink): LineReader {
  return (line) => {
    const [, type, id = '', rest = ''] = RECORD.exec(line.replace(/\r$/, '')) ?? [];
    if (type === undefined) throw new Unreadable('no accounting record');
    if (type !== 'E') return;
    // PBS writes one for the array as a whole, too: the span of all its subjobs.
    if (id.includes('[]')) return sink.leaveOut('the record of a whole array: its jobs have their own');
    const values = pairs(rest);
    const start = time(values, 'start');
    const end = time(values, 'end');
    if (start === null || end === null) throw new Unreadable('no start or end');
    if (start === 0) return sink.leaveOut('cancelled before it ran');
    if (end < start) throw new Unreadable('it ends before it starts');
    // etime is when it became eligible: what waits for a dependency does not wait for nodes.
    const submit = time(values, 'etime') || time(values, 'qtime') || time(values, 'ctime') || start;
    const { hosts, cpus } = where(values);
    const limit = values.get('Resource_List.walltime');
    sink.job({
      id,
      submit: Math.min(submit, start) * 1000,
      run: (end - start) * 1000,
      limit: limit === undefined ? null : pbsDuration(limit, 'Resource_List.walltime') || null,
      nodes: hosts,
      cpus,
      memoryMiB: memory(values, cpus),
      queue: values.get('queue') ?? '',
    });
  };
}

/** `a=1 b=2 two words c=3`: a value goes on until the next key. */
function pairs(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [, key, value] of text.matchAll(/(?:^|\s)([A-Za-z_][\w.]*)=(.*?)(?=\s+[A-Za-z_][\w.]*=|\s*$)/g))
    if (key !== undefined && !found.has(key)) found.set(key, value ?? '');
  return found;
}

/** Seconds since 1970. */
function time(values: ReadonlyMap<string, string>, key: string): number | null {
  const text = values.get(key);
  return text === undefined ? null : whole(text, key);
}

/** Hosts and CPUs it had: `n1/0+n1/1`, `n1/0-3,8`, PBS: `n1/0*4`; else what it asked for. @throws Unreadable */
function where(values: ReadonlyMap<string, string>): { hosts: number; cpus: number } {
  const asked = values.get('Resource_List.ncpus');
  const text = values.get('exec_host') ?? '';
  if (text === '') {
    const nodes = whole(values.get('Resource_List.nodect'), 'exec_host is missing, and Resource_List.nodect');
    const perNode = /:ppn=(\d+)/.exec(values.get('Resource_List.nodes') ?? '')?.[1] ?? '1';
    return { hosts: nodes, cpus: Math.max(nodes * Number(perNode), asked === undefined ? 0 : whole(asked, 'ncpus')) };
  }
  const hosts = new Set<string>();
  let cpus = 0;
  for (const part of text.split('+')) {
    const [host = '', slots = ''] = part.split('/');
    hosts.add(host);
    cpus += count(slots);
  }
  return { hosts: hosts.size, cpus: Math.max(cpus, asked === undefined ? 0 : whole(asked, 'ncpus')) };
}

function count(slots: string): number {
  const [, times] = /^\d+\*(\d+)$/.exec(slots) ?? [];
  if (times !== undefined) return Number(times);
  let sum = 0;
  for (const range of slots.split(',')) {
    const [, from, to] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
    if (from === undefined) throw new Unreadable(`exec_host has slots that cannot be read: "${slots}"`);
    sum += to === undefined ? 1 : Number(to) - Number(from) + 1;
  }
  return sum;
}

function memory(values: ReadonlyMap<string, string>, cpus: number): number {
  const all = values.get('Resource_List.mem');
  if (all !== undefined) return pbsMemory(all, 'Resource_List.mem');
  const each = values.get('Resource_List.pmem');
  return each === undefined ? 0 : pbsMemory(each, 'Resource_List.pmem') * cpus;
}
