/**
 * Slurm's accounting: what `sacct -a -X -P -o ...` prints, a line of column names first, `|` between the columns.
 */
import { slurmDuration, slurmMemory, slurmTime, whole } from './fields.ts';
import { type LineReader, type Sink, Unreadable } from './trace.ts';

/** Columns a log must have; alternatives stand side by side. */
const NEEDED: readonly (readonly string[])[] = [
  ['JobID'],
  ['Submit'],
  ['Elapsed'],
  ['NNodes', 'AllocNodes'],
  ['NCPUS', 'AllocCPUS'],
  ['State'],
];

export const SACCT_COMMAND =
  'TZ=UTC sacct -a -X -P -S 2026-01-01 -E 2026-07-01 -o JobID,Submit,Eligible,Start,End,Elapsed,NNodes,NCPUS,ReqMem,Timelimit,State,Partition';

/** States in which a job has not ended. */
const UNDER_WAY = new Set(['RUNNING', 'PENDING', 'SUSPENDED', 'RESIZING', 'COMPLETING', 'CONFIGURING', 'STOPPED']);
/** With -D also the earlier runs of a job are listed; its last one has another state. */
const STARTED_AGAIN = new Set(['REQUEUED', 'REQUEUE_HOLD', 'REQUEUE_FED', 'SPECIAL_EXIT']);

export function looksLikeSacct(line: string): boolean {
  return line.includes('|') && line.split('|').includes('JobID');
}

/** @param header the first line. @throws Error when columns are missing: nothing could be read */
export function sacctReader(header: string, sink: Sink): LineReader {
  // -p, unlike -P, ends each line with one more bar.
  const open = header.trim().endsWith('|');
  const names = header.trim().replace(/\|$/, '').split('|');
  const missing = NEEDED.filter((any) => !any.some((name) => names.includes(name))).map((any) => any[0]);
  if (missing.length > 0)
    throw new Error(`the sacct log has no column ${missing.join(', ')}; write it with: ${SACCT_COMMAND}`);

  return (line) => {
    // Several logs in one file: the next one's column names.
    if (line === header) return;
    const text = line.replace(/\r$/, '');
    const values = (open ? text.replace(/\|$/, '') : text).split('|');
    if (values.length !== names.length) throw new Unreadable(`${values.length} columns instead of ${names.length}`);
    const get = (...any: readonly string[]) => {
      const at = names.findIndex((name) => any.includes(name));
      return at < 0 ? '' : (values[at] ?? '').trim();
    };
    const id = get('JobID');
    if (id === '') throw new Unreadable('no JobID');
    // 18.batch, 18.0: the parts of a job (they are not there with -X).
    if (id.includes('.')) return;
    const state = get('State').split(' ')[0] ?? '';
    if (UNDER_WAY.has(state)) return sink.leaveOut('has not ended');
    if (STARTED_AGAIN.has(state)) return sink.leaveOut('a run that was put back into the queue');
    const run = slurmDuration(get('Elapsed'), 'Elapsed');
    const start = slurmTime(get('Start'), 'Start');
    if (run === 0 && (start === null || state === 'CANCELLED')) return sink.leaveOut('cancelled before it ran');
    const submit = slurmTime(get('Submit'), 'Submit');
    if (submit === null) throw new Unreadable('no Submit');
    // What waits for a dependency or a begin time does not wait for nodes. Eligible is never before Submit.
    const eligible = slurmTime(get('Eligible'), 'Eligible') ?? submit;
    const cpus = whole(get('NCPUS', 'AllocCPUS'), 'NCPUS');
    const nodes = whole(get('NNodes', 'AllocNodes'), 'NNodes');
    if (cpus <= 0 || nodes <= 0) return sink.leaveOut('had no CPU');
    sink.job({
      id,
      submit: Math.max(submit, eligible),
      run,
      limit: limitOf(get('Timelimit')),
      nodes,
      cpus,
      memoryMiB: slurmMemory(get('ReqMem'), nodes, cpus),
      queue: get('Partition'),
    });
  };
}

function limitOf(text: string): number | null {
  if (text === '' || text === 'UNLIMITED' || text === 'Partition_Limit') return null;
  return slurmDuration(text, 'Timelimit') || null;
}
