/**
 * The sample jobs: small, but of every kind that a queue sees. Each proves that its node sees the shared files: it reads
 * the marker there and leaves a result beside it.
 */
export interface SampleJob {
  readonly name: string;
  /** For people: what it asks for. */
  readonly asks: string;
  /** 0 = not said. */
  readonly memoryMiB: number;
  /** Shares its hosts with nobody. */
  readonly alone: boolean;
  /** Seconds it works. */
  readonly works: number;
  /** Hosts each of its tasks runs on. */
  readonly nodes: number;
  /** Array tasks, numbered from 1; 0 = no array. */
  readonly tasks: number;
  /** How many of the tasks may run at one time; 0 = no limit. */
  readonly taskLimit: number;
  /** Starts when the job of that name has ended well. */
  readonly after?: string;
  /** `runs`, or why it never will. */
  readonly fate: 'runs' | 'held' | 'never-fits';
}

const PLAIN = { memoryMiB: 0, alone: false, nodes: 1, tasks: 0, taskLimit: 0, fate: 'runs' } as const;

/** @param hosts of the pool, at least 2 */
export function sampleJobs(hosts: number): SampleJob[] {
  return [
    { ...PLAIN, name: 'single-1', asks: '1 CPU', works: 5 },
    { ...PLAIN, name: 'single-2', asks: '1 CPU, 256 MiB', memoryMiB: 256, works: 7 },
    { ...PLAIN, name: 'whole-node', asks: '1 node alone', alone: true, works: 6 },
    {
      ...PLAIN,
      name: 'two-nodes',
      asks: '2 nodes',
      works: 5,
      nodes: 2,
    },
    {
      ...PLAIN,
      name: 'array',
      asks: '4 tasks, 2 at a time',
      works: 4,
      tasks: 4,
      taskLimit: 2,
    },
    { ...PLAIN, name: 'single-3', asks: '1 CPU', works: 4 },
    { ...PLAIN, name: 'follower', asks: '1 CPU, after single-1', works: 3, after: 'single-1' },
    { ...PLAIN, name: 'held', asks: '1 CPU, held by its user', works: 1, fate: 'held' },
    {
      ...PLAIN,
      name: 'too-big',
      asks: `${hosts + 1} nodes of ${hosts}`,
      works: 1,
      nodes: hosts + 1,
      fate: 'never-fits',
    },
  ];
}

/** A burst for the live view: something different each time, so that the view has something to show. */
export function burstJobs(round: number): SampleJob[] {
  const job = (name: string, asks: string, works: number, more: Partial<SampleJob> = {}): SampleJob => ({
    ...PLAIN,
    name: `${name}-${round}`,
    asks,
    works,
    ...more,
  });
  const bursts = [
    [job('small', '1 CPU', 6), job('large', '1 node alone', 10, { alone: true })],
    [job('pair', '2 nodes', 8, { nodes: 2 }), job('small', '1 CPU', 12)],
    [
      job('wide', '1 node alone', 9, { alone: true }),
      job('wider', '1 node alone', 12, { alone: true }),
      job('widest', '1 node alone', 15, { alone: true }),
      job('small', '1 CPU', 5),
    ],
  ];
  return bursts[round % bursts.length] ?? [];
}

/** How a batch system's script says a few things. */
export interface ScriptWords {
  /** Lines before all others. */
  readonly first?: string;
  /** A shell word: number of the array task; 0 or nothing for a job that is none. */
  readonly task: string;
  /** Lines that run the given lines once on each host of the job. */
  everywhere(prove: string): string;
}

/**
 * The batch script. On each of its nodes it reads the marker and leaves `results/NAME.TASK.HOST` with what it read;
 * a node without the shared files fails the job.
 * @param shared where nodes mount the shared files; a path without characters a shell would read
 */
export function jobScript(job: SampleJob, shared: string, words: ScriptWords): string {
  const prove = [
    `read -r marker <${shared}/marker || exit 3`,
    'host=$(uname -n)',
    `task=${words.task}`,
    `result=${shared}/results/${job.name}.\${task:-0}.$host`,
    'printf "%s\\n" "$marker" >"$result.new" && mv "$result.new" "$result"',
  ].join('\n');
  return `#!/bin/sh\n${words.first ?? ''}${job.nodes > 1 ? words.everywhere(prove) : prove}\nsleep ${job.works}\n`;
}
