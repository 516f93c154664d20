/**
 * Stands in for OpenPBS 23.06.06, which the distribution does not package: qstat, pbsnodes, qmgr, qsub and qdel over a
 * small cluster, in the formats and with the exit codes that were recorded from a real server (src/batch/pbs/fixtures).
 */
import {
  type Command,
  end,
  idOf,
  jobsOn,
  options,
  type Said,
  SERVER,
  type StandIn,
  type StandInJob,
  type StandInNode,
  serve,
} from './cluster.ts';

const VERSION = { out: 'pbs_version = 23.06.06\n' };
const REFUSED = 'Unauthorized Request ';

const COMMANDS: Readonly<Record<string, Command>> = {
  qstat(world, words, isOperator) {
    const { flags, rest } = options(words, 'uFD');
    if (flags.has('--version')) return VERSION;
    const [queue] = rest;
    if (queue !== undefined && !world.queues.includes(queue))
      return { err: `qstat: Unknown queue ${queue}\n`, code: 170 };
    if (flags.has('Q')) return { out: queueText(world, queue ?? 'cloud') };
    if (flags.has('B')) return { out: serverText(world) };
    if (flags.get('F')?.[0] !== 'json') return { out: 'Job id   Name   User\n' };
    const jobs = isOperator || world.queryOtherJobs ? world.jobs : [];
    const entries: Record<string, unknown> = {};
    for (const job of jobs) {
      const array = `${job.number}[].${SERVER.pbs}`;
      if (job.index !== null && !(array in entries)) entries[array] = arrayEntry(world, job);
      entries[idOf(world, job)] = jobEntry(job);
    }
    return { out: document('Jobs', entries) };
  },

  pbsnodes(world, words, isOperator) {
    const { flags, rest } = options(words, 'CFDs');
    if (flags.has('--version')) return VERSION;
    if (flags.has('x') || flags.has('N'))
      return { err: "pbsnodes: invalid option -- 'x'\nusage:\tpbsnodes ...\n", code: 1 };
    const comment = flags.get('C')?.[0];
    if (flags.has('o') || flags.has('r')) {
      const errors: string[] = [];
      for (const name of rest) {
        const node = world.nodes.find((one) => one.name === name);
        if (!isOperator) errors.push(`Error marking node ${name} - ${REFUSED}\n`);
        else if (!node) errors.push(`Error marking node ${name} - Unknown node \n`);
        else {
          node.offline = flags.has('o');
          if (comment !== undefined) node.note = comment;
        }
      }
      return { err: errors.join(''), code: errors.length === 0 ? 0 : 1 };
    }
    if (world.nodes.length === 0) return { err: 'pbsnodes: Server has no node list\n', code: 1 };
    const entries = Object.fromEntries(world.nodes.map((node) => [node.name, nodeEntry(world, node)]));
    return { out: document('nodes', entries) };
  },

  qmgr(world, words, isOperator) {
    const text = options(words, 'c').flags.get('c')?.[0] ?? '';
    if (!isOperator)
      return { err: `qmgr obj= svr=default: ${REFUSED}\nqmgr: Error (15007) returned from server\n`, code: 159 };
    if (!/^set server scheduling ?= ?True$/.test(text)) return { err: 'qmgr: Syntax error\n', code: 1 };
    world.scheduling = true;
    world.nudged++;
    return {};
  },

  qsub(world, words) {
    const { flags } = options(words, 'qNlJWa');
    const queue = flags.get('q')?.[0] ?? 'cloud';
    if (!world.queues.includes(queue)) return { err: 'qsub: Unknown queue\n', code: 170 };
    const request = Object.fromEntries(
      (flags.get('l') ?? []).map((one) => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1)]),
    );
    const select = /^(\d+):ncpus=(\d+)(?::mem=(\d+)mb)?$/.exec(request.select ?? '1:ncpus=1');
    if (!select) return { err: 'qsub: Illegal attribute or resource value Resource_List.select\n', code: 166 };
    const range = flags.get('J')?.[0];
    const number = world.next++;
    const [from = 0, to = 0] = (range ?? '0').replace(/%.*/, '').split('-').map(Number);
    const limit = /%(\d+)$/.exec(range ?? '')?.[1];
    for (let index = from; index <= (range === undefined ? from : to); index++) {
      world.jobs.push({
        ...{
          number,
          index: range === undefined ? null : index,
          name: flags.get('N')?.[0] ?? 'STDIN',
          owner: 'hpcuser',
          queue,
        },
        ...{ nodes: Number(select[1]), cpusPerNode: Number(select[2]), memoryMiB: Number(select[3] ?? 0) },
        exclusive: /excl/.test(request.place ?? ''),
        held: flags.has('h'),
        limit: limit === undefined ? null : Number(limit),
        ...{ args: words.join(' '), request, at: Math.floor(Date.now() / 1000), hosts: [], range: range ?? null },
      });
    }
    return { out: `${number}${range === undefined ? '' : '[]'}.${SERVER.pbs}\n` };
  },

  qdel(world, words) {
    const missing = words.filter((id) => !end(world, id));
    return missing.length === 0 ? {} : { err: `qdel: Unknown Job Id ${missing[0]}\n`, code: 153 };
  },
};

/** One key per line with tabs, and a tab behind the colon, as PBS lays it out. */
function document(section: string, entries: Readonly<Record<string, unknown>>): string {
  const head = { timestamp: Math.floor(Date.now() / 1000), pbs_version: '23.06.06', pbs_server: SERVER.pbs };
  const whole = Object.keys(entries).length === 0 ? head : { ...head, [section]: entries };
  return `${JSON.stringify(whole, null, '\t').replaceAll(/^(\t+"(?:[^"\\]|\\.)*":) /gm, '$1\t')}\n`;
}

function stateOf(world: StandIn, node: StandInNode): string {
  if (node.reported === null) return node.offline ? 'state-unknown,offline' : 'state-unknown,down';
  const words: string[] = [];
  if (node.down) words.push('down');
  if (node.offline) words.push('offline');
  const jobs = jobsOn(world, node.name);
  if (jobs.some((job) => job.exclusive)) words.push('job-exclusive');
  else if (jobs.reduce((sum, job) => sum + job.cpusPerNode, 0) >= node.cpus) words.push('job-busy');
  return words.length === 0 ? 'free' : words.join(',');
}

function nodeEntry(world: StandIn, node: StandInNode): Record<string, unknown> {
  const jobs = jobsOn(world, node.name);
  const sum = (of: (job: StandInJob) => number): number => jobs.reduce((total, job) => total + of(job), 0);
  const cpus = sum((job) => job.cpusPerNode);
  const memory = sum((job) => job.memoryMiB);
  const comment =
    node.note === '' && node.down && node.reported !== null ? 'node down: communication closed' : node.note;
  return {
    ...{ Mom: node.name, Port: 15002, pbs_version: node.reported === null ? 'unavailable' : '23.06.06', ntype: 'PBS' },
    state: stateOf(world, node),
    ...(jobs.length === 0 ? {} : { jobs: jobs.map((job) => idOf(world, job)) }),
    resources_available: { host: node.name, mem: `${node.memoryMiB * 1024}kb`, ncpus: node.cpus, vnode: node.name },
    // zeros are left out
    resources_assigned: {
      ...(memory === 0 ? {} : { mem: `${memory * 1024}kb` }),
      ...(cpus === 0 ? {} : { ncpus: cpus }),
    },
    ...(comment === '' ? {} : { comment }),
    ...{ resv_enable: 'True', sharing: 'default_shared' },
    ...(node.changed === 0 ? {} : { last_state_change_time: node.changed }),
  };
}

function jobEntry(job: StandInJob): Record<string, unknown> {
  const state = job.hosts.length > 0 ? 'R' : job.held ? 'H' : 'Q';
  const memory = job.memoryMiB === 0 ? '' : `:mem=${job.memoryMiB * 1024}kb`;
  const date = new Date(job.at * 1000).toString().replace(/^(\w+ \w+ \d+) (\d+) ([\d:]+).*$/, '$1 $3 $2');
  return {
    // a name that looks like a number becomes one
    Job_Name: /^\d+$/.test(job.name) ? Number(job.name) : job.name,
    ...{ Job_Owner: `${job.owner}@pbcli`, job_state: state, queue: job.queue, server: SERVER.pbs, ctime: date },
    ...(job.hosts.length === 0
      ? {}
      : {
          exec_host: job.hosts.map((host) => `${host}/0*${job.cpusPerNode}`).join('+'),
          exec_vnode: job.hosts.map((host) => `(${host}:ncpus=${job.cpusPerNode}${memory})`).join('+'),
        }),
    ...{ Hold_Types: job.held ? 'u' : 'n', Priority: 0, qtime: date },
    Resource_List: { nodect: job.nodes, place: job.request.place ?? 'pack', select: job.request.select ?? '1:ncpus=1' },
    schedselect: job.request.select ?? '1:ncpus=1',
    ...(state === 'Q' ? { comment: 'Not Running: Not enough free nodes available' } : {}),
    Submit_arguments: job.args,
  };
}

function arrayEntry(world: StandIn, first: StandInJob): Record<string, unknown> {
  const tasks = world.jobs.filter((job) => job.number === first.number);
  const running = tasks.filter((job) => job.hosts.length > 0).length;
  const { exec_host: _, exec_vnode: __, ...entry } = jobEntry(first);
  return {
    ...entry,
    job_state: first.held ? 'H' : running > 0 ? 'B' : 'Q',
    array: 'True',
    array_state_count: `Queued:${tasks.length - running} Running:${running} Exiting:0 Expired:0`,
    array_indices_submitted: first.range,
    array_indices_remaining: tasks
      .filter((job) => job.hosts.length === 0)
      .map((job) => job.index)
      .join(','),
    ...(first.limit === null ? {} : { max_run_subjobs: first.limit }),
  };
}

function counts(jobs: readonly StandInJob[]): string {
  const running = jobs.filter((job) => job.hosts.length > 0).length;
  const held = jobs.filter((job) => job.hosts.length === 0 && job.held).length;
  return `Transit:0 Queued:${jobs.length - running - held} Held:${held} Waiting:0 Running:${running} Exiting:0 Begun\n\t:0 `;
}

function queueText(world: StandIn, queue: string): string {
  const jobs = world.jobs.filter((job) => job.queue === queue);
  return `Queue: ${queue}\n    queue_type = Execution\n    total_jobs = ${jobs.length}\n    state_count = ${counts(jobs)}\n    enabled = True\n    started = True\n\n`;
}

function serverText(world: StandIn): string {
  return `Server: pbhead\n    server_state = Active\n    scheduling = ${world.scheduling ? 'True' : 'False'}\n    total_jobs = ${world.jobs.length}\n    state_count = ${counts(world.jobs)}\n    query_other_jobs = ${world.queryOtherJobs ? 'True' : 'False'}\n    pbs_version = 23.06.06\n\n`;
}

/** With the server down, qstat still prints a document, and only its exit code tells. */
function down(name: string): Said {
  const err = `Connection refused\n${name}: cannot connect to server pbhead (errno=15010)\n`;
  return name === 'qstat' ? { out: document('Jobs', {}), err, code: 255 } : { err, code: name === 'qmgr' ? 3 : 1 };
}

serve(COMMANDS, down);
