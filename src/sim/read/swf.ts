/**
 * The Standard Workload Format, version 2.2, of the Parallel Workloads Archive (Feitelson): one job per line, 18
 * numbers, -1 = not known; comments with `;` in front, some of which are headers. Times in seconds, memory in KiB per
 * processor.
 */
import { whole } from './fields.ts';
import { type LineReader, type Sink, Unreadable } from './trace.ts';

const FIELDS = 18;

export function looksLikeSwf(line: string): boolean {
  return line.startsWith(';') || /^\s*-?\d+(\s+-?\d+(\.\d+)?){17}\s*$/.test(line);
}

export function swfReader(sink: Sink): LineReader {
  let start = 0;
  const machine = { nodes: 0, cpus: 0 };

  function header(line: string): void {
    const [, key, value] = /^;\s*(UnixStartTime|MaxNodes|MaxProcs):\s*(\d+)/.exec(line) ?? [];
    if (key === 'UnixStartTime') start = Number(value);
    if (key === 'MaxNodes') machine.nodes = Number(value);
    if (key === 'MaxProcs') machine.cpus = Number(value);
    if (key !== 'UnixStartTime' && key !== undefined && Math.max(machine.nodes, machine.cpus) > 0)
      sink.machine(machine.nodes || machine.cpus, machine.cpus || machine.nodes);
  }

  return (line) => {
    if (line.startsWith(';')) return header(line);
    const fields = line.trim().split(/\s+/);
    if (fields.length !== FIELDS) throw new Unreadable(`${fields.length} fields instead of ${FIELDS}`);
    const field = (at: number, what: string) => whole(fields[at - 1], what);
    const id = field(1, 'job number');
    const submit = field(2, 'submit time');
    const run = field(4, 'run time');
    const cpus = known(field(8, 'requested processors')) ?? known(field(5, 'allocated processors'));
    const limit = known(field(9, 'requested time'));
    const memory = known(field(10, 'requested memory'));
    const status = field(11, 'status');
    // A job that was stopped and taken up again has a line for the whole and one for each part; the whole counts.
    if (status >= 2 && status <= 4) return sink.leaveOut('part of a job that was taken up again');
    if (submit < 0) throw new Unreadable('no submit time');
    if (run < 0) return sink.leaveOut('never ran');
    if (run === 0 && status === 5) return sink.leaveOut('cancelled before it ran');
    if (cpus === null) return sink.leaveOut('does not tell its processors');
    sink.job({
      id: String(id),
      submit: (start + submit) * 1000,
      run: run * 1000,
      limit: limit === null ? null : limit * 1000,
      nodes: 1,
      cpus,
      memoryMiB: memory === null ? 0 : (memory * cpus) / 1024,
      queue: fields[14] === '-1' ? '' : (fields[14] ?? ''),
    });
  };
}

/** Positive, or null: the format writes -1 for what nobody knows, and some logs write 0. */
function known(value: number): number | null {
  return value > 0 ? value : null;
}
