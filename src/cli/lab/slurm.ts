/** The lab's Slurm: `sbatch`, and what `scontrol show job` tells afterwards. */
import { type Run, sayRun } from '../../lib/run.ts';
import type { LabBatch, LabJob } from './batch.ts';
import { Interrupted, LabError } from './parts.ts';
import type { LabPlace } from './place.ts';
import { jobScript, type SampleJob } from './sample.ts';

const LIMIT_MS = 20_000;
const WAITING = new Set(['PENDING', 'CONFIGURING']);
const ENDED = new Set([
  'COMPLETED',
  'CANCELLED',
  'FAILED',
  'TIMEOUT',
  'NODE_FAIL',
  'BOOT_FAIL',
  'OUT_OF_MEMORY',
  'PREEMPTED',
  'DEADLINE',
]);

export function labSlurm(run: Run, place: LabPlace): LabBatch {
  // SLURM_TIME_FORMAT=%s: seconds since 1970 instead of local time without a zone.
  const call = async (words: readonly string[], stdin?: string) => {
    const command = ['env', `SLURM_CONF=${place.slurmConf}`, 'SLURM_TIME_FORMAT=%s', ...words];
    const result = await run(command, { timeout: LIMIT_MS, ...(stdin === undefined ? {} : { stdin }) });
    if (result.signal === 'SIGINT') throw new Interrupted(); // a Ctrl-C in the terminal reaches children as well
    if (result.code !== 0) throw new LabError(sayRun({ ...result, command: words }));
    return result.stdout;
  };
  return {
    async submit(job, ids) {
      const after = job.after === undefined ? [] : [`--dependency=afterok:${ids.get(job.after) ?? ''}`];
      const output = `--output=${place.sharedOnNodes}/results/${job.name}-%j.out`;
      const words = ['sbatch', '--parsable', '--partition=cloud', '--time=5', `--job-name=${job.name}`, output];
      const chdir = `--chdir=${place.sharedOnNodes}`;
      const answer = await call([...words, chdir, ...optionsOf(job), ...after], scriptOf(job, place));
      return answer.trim().split(';')[0] ?? '';
    },
    async jobs() {
      return parseJobs(await call(['scontrol', 'show', 'job', '--oneliner']));
    },
    async cancel(ids) {
      if (ids.length > 0) await call(['scancel', ...ids]);
    },
  };
}

function optionsOf(job: SampleJob): string[] {
  const limit = job.taskLimit > 0 ? `%${job.taskLimit}` : '';
  return [
    ...(job.memoryMiB > 0 ? [`--mem=${job.memoryMiB}`] : []),
    ...(job.alone ? ['--exclusive'] : []),
    ...(job.nodes > 1 ? [`--nodes=${job.nodes}`, `--ntasks=${job.nodes}`, '--ntasks-per-node=1'] : []),
    ...(job.tasks > 0 ? [`--array=1-${job.tasks}${limit}`] : []),
    ...(job.fate === 'held' ? ['--hold'] : []),
  ];
}

function scriptOf(job: SampleJob, place: LabPlace): string {
  return jobScript(job, place.sharedOnNodes, {
    // The image's own, so that it is certain where the job ran. Slurm hands on our SLURM_CONF; a node has its own file.
    first: place.cloud === 'vcp' ? '[ -x /usr/local/sbin/hc-node ] || exit 4\nunset SLURM_CONF\n' : '',
    task: `\${SLURM_ARRAY_TASK_ID:-0}`,
    everywhere: (prove) => `srun --ntasks=${job.nodes} --ntasks-per-node=1 sh -c '${prove}' || exit 3`,
  });
}

/** Reads `scontrol --oneliner show job` (times as epoch seconds). The sample's names hold no blanks. */
export function parseJobs(text: string): LabJob[] {
  return text.split('\n').flatMap((line) => {
    const fields = new Map<string, string>();
    for (const word of line.split(' ')) {
      const at = word.indexOf('=');
      if (at > 0) fields.set(word.slice(0, at), word.slice(at + 1));
    }
    const id = fields.get('JobId');
    if (id === undefined) return [];
    const state = fields.get('JobState') ?? '';
    const task = fields.get('ArrayTaskId');
    const started = WAITING.has(state) ? null : time(fields.get('StartTime'));
    return {
      id,
      root: fields.get('ArrayJobId') ?? id,
      task: task === undefined ? 0 : /^\d+$/.test(task) ? Number(task) : null,
      state,
      reason: fields.get('Reason') ?? '',
      submittedAt: time(fields.get('SubmitTime')) ?? 0,
      // A job cancelled while it waited has a start time too: that of its end. It never had a node.
      startedAt: nodeList(fields) === '' ? null : started,
      endedAt: ENDED.has(state) ? time(fields.get('EndTime')) : null,
      exit: fields.get('ExitCode') ?? '',
      restarts: Number(fields.get('Restarts') ?? 0),
      nodeList: nodeList(fields),
    };
  });
}

function nodeList(fields: ReadonlyMap<string, string>): string {
  const list = fields.get('NodeList') ?? '';
  return list === '(null)' ? '' : list;
}

function time(seconds: string | undefined): number | null {
  return seconds !== undefined && /^\d+$/.test(seconds) && seconds !== '0' ? Number(seconds) * 1000 : null;
}

/** `c[1-2,4]` to `c1 c2 c4`: the lab's hosts have one number behind their name. */
export function expandHosts(list: string): string[] {
  return [...list.matchAll(/([^,[\]]+)(?:\[([^\]]*)\])?/g)].flatMap(([, name = '', ranges]) =>
    ranges === undefined
      ? [name]
      : ranges.split(',').flatMap((range) => {
          const [from = '', to = from] = range.split('-');
          return Array.from({ length: Number(to) - Number(from) + 1 }, (_, i) => `${name}${Number(from) + i}`);
        }),
  );
}
