/**
 * The lab's Grid Engine: waiting and running jobs from `qstat`, ended ones from the cell's accounting file. A job that was
 * deleted while it waited is in neither, so what was submitted is remembered.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import { type Run, sayRun } from '../../lib/run.ts';
import { child, type Element, readXml, XmlError } from '../../lib/xml.ts';
import type { LabBatch, LabJob } from './batch.ts';
import { Interrupted, LabError } from './parts.ts';
import type { LabPlace } from './place.ts';
import { jobScript, type SampleJob } from './sample.ts';

const LIMIT_MS = 20_000;

export function labGridEngine(run: Run, place: LabPlace, clock: Clock): LabBatch {
  const submitted = new Map<string, { readonly job: SampleJob; readonly at: number }>();
  const cancelled = new Set<string>();
  const call = async (words: readonly string[], stdin?: string) => {
    const command = [join(place.gridEngine, 'head'), ...words];
    const result = await run(command, { timeout: LIMIT_MS, ...(stdin === undefined ? {} : { stdin }) });
    if (result.signal === 'SIGINT') throw new Interrupted(); // a Ctrl-C in the terminal reaches children as well
    if (result.code !== 0) throw new LabError(sayRun({ ...result, command: words }));
    return result.stdout;
  };
  return {
    async submit(job, ids) {
      const output = `${place.sharedOnNodes}/results/${job.name}-$JOB_ID.out`;
      const words = [
        'qsub',
        '-terse',
        '-q',
        'cloud',
        '-N',
        job.name,
        '-wd',
        place.sharedOnNodes,
        '-j',
        'y',
        '-o',
        output,
      ];
      const answer = await call([...words, ...optionsOf(job, ids)], scriptOf(job, place.sharedOnNodes));
      const id = answer.trim().split('.')[0] ?? '';
      submitted.set(id, { job, at: clock.now() });
      return id;
    },
    async jobs() {
      const open = parseQueue(await call(['qstat', '-xml', '-u', '*']), (id) => submitted.get(id)?.at ?? 0);
      const file = join(place.gridEngine, 'root/default/common/accounting');
      const ended = parseAccounting(await readFile(file, 'utf8').catch(() => ''));
      const listed = new Set(open.map(({ id }) => id));
      const known = [...open, ...ended.filter(({ id }) => !listed.has(id))];
      const seen = new Set(known.map(({ root }) => root));
      // neither waiting nor accounted for: deleted before it began, or just about to be written down
      const missing = [...submitted].filter(([id]) => !seen.has(id));
      return [...known, ...missing.map(([id, { at }]) => unseen(id, at, cancelled.has(id)))];
    },
    async cancel(ids) {
      for (const id of ids) cancelled.add(id);
      if (ids.length > 0) await call(['qdel', ...ids]);
    },
  };
}

function optionsOf(job: SampleJob, ids: ReadonlyMap<string, string>): string[] {
  return [
    ...(job.memoryMiB > 0 ? ['-l', `mem=${job.memoryMiB}M`] : []),
    ...(job.alone ? ['-l', 'exclusive=1'] : []),
    ...(job.nodes > 1 ? ['-pe', 'node1', String(job.nodes)] : []),
    ...(job.tasks > 0 ? ['-t', `1-${job.tasks}`] : []),
    ...(job.taskLimit > 0 ? ['-tc', String(job.taskLimit)] : []),
    ...(job.fate === 'held' ? ['-h'] : []),
    ...(job.after === undefined ? [] : ['-hold_jid', ids.get(job.after) ?? '']),
  ];
}

/** A job on several hosts starts what it has to do there itself: `qrsh -inherit` on each host of its list. */
function scriptOf(job: SampleJob, shared: string): string {
  return jobScript(job, shared, {
    // it is "undefined" for a job that is no array
    task: '$(expr "$SGE_TASK_ID" : \'\\([0-9]*\\)$\' || :)',
    everywhere: (prove) =>
      [
        `script=${shared}/results/${job.name}.$JOB_ID.new`,
        `cat >"$script" <<'PROVE'\n${prove}\nPROVE`,
        'for host in $(cut -d " " -f 1 "$PE_HOSTFILE"); do',
        '  qrsh -inherit -nostdin "$host" sh "$script" || exit 3',
        'done',
        'rm "$script"',
      ].join('\n'),
  });
}

/** Reads `qstat -xml`. */
export function parseQueue(text: string, submittedAt: (id: string) => number): LabJob[] {
  let root: Element;
  try {
    root = readXml(text);
  } catch (error) {
    if (error instanceof XmlError) throw new LabError(`qstat: ${error.message}`);
    throw error;
  }
  return root.children
    .flatMap((part) => part.children)
    .map((one) => {
      const value = (name: string): string => child(one, name)?.text ?? '';
      const number = value('JB_job_number');
      const tasks = value('tasks');
      const task = tasks === '' ? 0 : /^\d+$/.test(tasks) ? Number(tasks) : null;
      const runs = one.attributes.state === 'running';
      const started = Date.parse(value('JAT_start_time'));
      const host = value('queue_name').split('@')[1] ?? '';
      return {
        ...{ id: tasks === '' ? number : `${number}.${tasks}`, root: number, task },
        ...{ state: runs ? 'RUNNING' : 'PENDING', reason: value('state'), submittedAt: submittedAt(number) },
        ...{ startedAt: runs && !Number.isNaN(started) ? started : null, endedAt: null, exit: '', restarts: 0 },
        nodeList: runs ? host : '',
      };
    });
}

/**
 * Reads the accounting file (`man 5 accounting`): one line for each run of a job or task, and one more for each part that
 * a job on several hosts had there. Times are seconds.
 */
export function parseAccounting(text: string): LabJob[] {
  const runs = new Map<string, { lines: string[][]; hosts: Set<string> }>();
  for (const line of text.split('\n').slice(0, -1)) {
    const fields = line.split(':');
    if (line.startsWith('#') || fields.length < 42) continue;
    const task = Number(fields[35]);
    const id = task === 0 ? `${fields[5]}` : `${fields[5]}.${task}`;
    const run = runs.get(id) ?? { lines: [], hosts: new Set() };
    run.hosts.add(fields[1] ?? '');
    if (fields[41] === 'NONE') run.lines.push(fields);
    runs.set(id, run);
  }
  return [...runs].flatMap(([id, { lines, hosts }]) => {
    const last = lines.at(-1);
    if (last === undefined) return [];
    const [failed, exit] = [Number(last[11]), Number(last[12])];
    return {
      ...{ id, root: last[5] ?? '', task: Number(last[35]), reason: '' },
      state: failed === 0 && exit === 0 ? 'COMPLETED' : failed === 100 ? 'CANCELLED' : 'FAILED',
      ...{ submittedAt: Number(last[8]) * 1000, startedAt: Number(last[9]) * 1000, endedAt: Number(last[10]) * 1000 },
      ...{ exit: `${exit}:${failed}`, restarts: lines.length - 1, nodeList: [...hosts].sort().join(',') },
    };
  });
}

function unseen(id: string, submittedAt: number, cancelled: boolean): LabJob {
  return {
    ...{ id, root: id, task: 0, state: cancelled ? 'CANCELLED' : 'COMPLETING', reason: '', submittedAt },
    ...{ startedAt: null, endedAt: null, exit: '', restarts: 0, nodeList: '' },
  };
}
