/**
 * Stands in for Torque 6.1.3, which the distribution does not package: qstat, pbsnodes, qmgr, qsub and qdel over a small
 * cluster, in the formats and with the exit codes that were recorded from a real server (src/batch/torque/fixtures).
 */
import {
  type Command,
  end,
  idOf,
  jobsOn,
  limited,
  options,
  type Said,
  SERVER,
  type StandIn,
  type StandInJob,
  type StandInNode,
  serve,
} from '../pbs-stand-in/cluster.ts';

const VERSION = { out: 'Version: 6.1.3\nCommit: \n' };
const REFUSED = 'Unauthorized Request  MSG=error in permissions (PERM_OPorMGR)';

const COMMANDS: Readonly<Record<string, Command>> = {
  qstat(world, words, isOperator) {
    const { flags, rest } = options(words, 'uW');
    if (flags.has('--version')) return VERSION;
    if (flags.has('F')) return { err: "qstat: invalid option -- 'F'\nusage: \n", code: 2 };
    const [queue] = rest;
    if (queue !== undefined && !world.queues.includes(queue)) {
      const says = flags.has('Q') ? 'Unknown queue MSG=cannot locate queue' : 'Unknown queue destination';
      return { err: `qstat: ${says} ${queue}\n`, code: flags.has('Q') ? 170 : 172 };
    }
    const sees = isOperator || world.queryOtherJobs;
    if (flags.has('Q')) return { out: queueText(world, queue ?? 'cloud') };
    if (flags.has('B')) return { out: serverText(world) };
    const jobs = sees ? world.jobs.filter((job) => queue === undefined || job.queue === queue) : [];
    if (!flags.has('x') || !flags.has('t')) return { out: listText(world, jobs) };
    return { out: `<?xml version="1.0"?>\n<Data>${jobs.map((job) => jobXml(world, job)).join('')}</Data>\n` };
  },

  pbsnodes(world, words, isOperator) {
    const { flags, rest } = options(words, 'NAsm');
    if (flags.has('--version')) return VERSION;
    for (const letter of ['F', 'v', 'S']) {
      if (flags.has(letter)) return { err: `pbsnodes: invalid option -- '${letter}'\nusage:\tpbsnodes ...\n`, code: 1 };
    }
    const note = flags.get('N')?.[0];
    if (flags.has('o') || flags.has('c') || flags.has('r') || note !== undefined) {
      const errors: string[] = [];
      for (const name of rest) {
        const node = world.nodes.find((one) => one.name === name);
        // it ends with 0 all the same
        if (!isOperator) errors.push(`Error setting note attribute for ${name} - ${REFUSED}\n`);
        else if (!node) errors.push(`Error setting note attribute for ${name} - Unknown node \n`);
        else if (note !== undefined || flags.has('o') || flags.has('c') || flags.has('r'))
          turn(world, node, flags, note);
      }
      return { err: errors.join('') };
    }
    if (!flags.has('x'))
      return { out: world.nodes.map((node) => `${node.name}\n     state = ${stateOf(world, node)}\n`).join('\n') };
    const asked = rest.length === 0 ? world.nodes : world.nodes.filter((node) => rest.includes(node.name));
    if (asked.length < rest.length)
      return { err: 'pbsnodes: Unknown node  MSG=cannot locate specified node\n', code: 1 };
    if (asked.length === 0) {
      return {
        err: "pbsnodes: Server has no node list MSG=node list is empty - check 'server_priv/nodes' file\n",
        code: 1,
      };
    }
    return { out: `<Data>${asked.map((node) => nodeXml(world, node)).join('')}</Data>\n` };
  },

  qmgr(world, words, isOperator) {
    const text = options(words, 'c').flags.get('c')?.[0] ?? '';
    if (!isOperator) return { err: `qmgr obj= svr=default: ${REFUSED}\n`, code: 2 };
    if (!/^set server scheduling ?= ?True$/.test(text)) return { err: 'qmgr: Syntax error\n', code: 2 };
    world.scheduling = true;
    world.nudged++;
    return {};
  },

  qsub(world, words) {
    const { flags } = options(words, 'qNltWa');
    const queue = flags.get('q')?.[0] ?? 'batch';
    if (!world.queues.includes(queue))
      return { err: 'qsub: submit error (Unknown queue MSG=requested queue not found)\n', code: 172 };
    const list = (flags.get('l') ?? []).flatMap((one) => one.split(','));
    const request = Object.fromEntries(
      list.map((one) => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1)]),
    );
    const nodes = /^(\d+)(?::ppn=(\d+))?(#excl)?$/.exec(request.nodes ?? '1');
    if (!nodes) return { err: 'qsub: submit error (Command syntax invalid MSG=Invalid Syntax)\n', code: 27 };
    const count = Number(nodes[1]);
    const range = flags.get('t')?.[0];
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
        ...{
          nodes: count,
          cpusPerNode: Number(nodes[2] ?? 1),
          exclusive: nodes[3] !== undefined,
          held: flags.has('h'),
        },
        memoryMiB: Math.ceil(Number.parseInt(request.mem ?? '0', 10) / count),
        limit: limit === undefined ? null : Number(limit),
        ...{ args: words.join(' '), request, at: Math.floor(Date.now() / 1000), hosts: [], range: range ?? null },
      });
    }
    return { out: `${number}${range === undefined ? '' : '[]'}.${SERVER.torque}\n` };
  },

  qdel(world, words) {
    const missing = words.filter((id) => !end(world, id));
    return missing.length === 0 ? {} : { err: `qdel: nonexistent job id: ${missing[0]}\n`, code: 153 };
  },
};

/** The table an ordinary `qstat` prints; nothing at all when there is no job. */
function listText(world: StandIn, jobs: readonly StandInJob[]): string {
  if (jobs.length === 0) return '';
  const lines = jobs.map((job) => {
    const [id, name] = [idOf(world, job), job.name.slice(-16)];
    return `${id.padEnd(25)} ${name.padEnd(16)} ${job.owner.padEnd(15)} ${'0'.padStart(8)} ${stateOfJob(world, job)} ${job.queue.padEnd(14)} `;
  });
  const head = 'Job ID                    Name             User            Time Use S Queue\n';
  const rule = '------------------------- ---------------- --------------- -------- - -----\n';
  return `${head}${rule}${lines.join('\n')}\n`;
}

function stateOfJob(world: StandIn, job: StandInJob): string {
  if (job.hosts.length > 0) return 'R';
  return job.held || limited(world, job) ? 'H' : 'Q';
}

/** `-c` takes the node down until its mom reports again, as the real one does. */
function turn(world: StandIn, node: StandInNode, flags: ReadonlyMap<string, unknown>, note: string | undefined): void {
  if (flags.has('o')) node.offline = true;
  if (flags.has('c') || flags.has('r')) {
    node.offline = false;
    node.down = true;
    node.due = Date.now() + world.report;
  }
  if (note !== undefined) node.note = note;
}

function stateOf(world: StandIn, node: StandInNode): string {
  const words: string[] = [];
  if (node.down) words.push('down');
  if (node.offline) words.push('offline');
  const jobs = jobsOn(world, node.name);
  const used = jobs.reduce((sum, job) => sum + job.cpusPerNode, 0);
  if (used >= node.cpus || jobs.some((job) => job.exclusive)) words.push('job-exclusive');
  return words.length === 0 ? 'free' : words.join(',');
}

function nodeXml(world: StandIn, node: StandInNode): string {
  let slot = 0;
  const jobs = jobsOn(world, node.name).map((job) => {
    const from = slot;
    slot += job.cpusPerNode;
    return `${job.cpusPerNode === 1 ? from : `${from}-${slot - 1}`}/${idOf(world, job)}`;
  });
  const ids = jobsOn(world, node.name).map((job) => idOf(world, job));
  const status =
    node.reported === null
      ? ''
      : `<status>opsys=linux,uname=Linux ${node.name} 6.1.0 #1 SMP x86_64,nsessions=0,nusers=0,idletime=244038,totmem=${node.memoryMiB * 1024}kb,availmem=${node.memoryMiB * 1000}kb,physmem=${node.memoryMiB * 1024}kb,ncpus=${node.cpus},loadave=0.02,gres=,netload=8735,state=free,varattr= ,cpuclock=Fixed,version=6.1.3,rectime=${Math.floor(node.reported / 1000)},jobs=${ids.join(' ')}</status>`;
  const parts = [
    `<name>${node.name}</name><state>${stateOf(world, node)}</state><power_state>Running</power_state><np>${node.cpus}</np>`,
    `<properties>${node.properties.join(',')}</properties><ntype>cluster</ntype>`,
    jobs.length === 0 ? '' : `<jobs>${jobs.join(',')}</jobs>`,
    status,
    node.note === '' ? '' : `<note>${escapeXml(node.note)}</note>`,
    '<mom_service_port>15002</mom_service_port><mom_manager_port>15003</mom_manager_port>',
  ];
  return `<Node>${parts.join('')}</Node>`;
}

function jobXml(world: StandIn, job: StandInJob): string {
  const slots = limited(world, job);
  const state = stateOfJob(world, job);
  const holds = job.held ? 'u' : slots ? 'l' : 'n';
  const exec = job.hosts.map((host) => `${host}/${job.cpusPerNode === 1 ? '0' : `0-${job.cpusPerNode - 1}`}`).join('+');
  const resources = Object.entries(job.request).map(([key, value]) => `<${key}>${escapeXml(value)}</${key}>`);
  const parts = [
    `<Job_Id>${idOf(world, job)}</Job_Id><Job_Name>${escapeXml(job.name)}${job.index === null ? '' : `-${job.index}`}</Job_Name>`,
    `<Job_Owner>${job.owner}@tqhead</Job_Owner><job_state>${state}</job_state><queue>${job.queue}</queue><server>tqhead</server>`,
    `<ctime>${job.at}</ctime>${exec === '' ? '' : `<exec_host>${exec}</exec_host>`}<Hold_Types>${holds}</Hold_Types>`,
    `<Priority>0</Priority><qtime>${job.at}</qtime><Resource_List>${resources.join('')}<nodect>${job.nodes}</nodect></Resource_List>`,
    `${job.held ? '' : `<etime>${job.at}</etime>`}<submit_args>${escapeXml(job.args)}</submit_args>`,
    state === 'Q' ? '<comment>Not Running: Not enough of the right type of nodes are available</comment>' : '',
  ];
  return `<Job>${parts.join('')}</Job>`;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

function counts(world: StandIn, jobs: readonly StandInJob[]): string {
  const running = jobs.filter((job) => job.hosts.length > 0).length;
  const held = jobs.filter((job) => job.hosts.length === 0 && (job.held || limited(world, job))).length;
  const queued = jobs.length - running - held;
  return `Transit:0 Queued:${queued} Held:${held} Waiting:0 Running:${running} Exiting:0 Comp\n\tlete:0 `;
}

function queueText(world: StandIn, queue: string): string {
  const jobs = world.jobs.filter((job) => job.queue === queue);
  return `Queue: ${queue}\n    queue_type = Execution\n    total_jobs = ${jobs.length}\n    state_count = ${counts(world, jobs)}\n    enabled = True\n    started = True\n\n`;
}

function serverText(world: StandIn): string {
  return `Server: tqhead\n    server_state = Active\n    scheduling = ${world.scheduling ? 'True' : 'False'}\n    total_jobs = ${world.jobs.length}\n    state_count = ${counts(world, world.jobs)}\n    query_other_jobs = ${world.queryOtherJobs ? 'True' : 'False'}\n    pbs_version = 6.1.3\n\n`;
}

function down(name: string): Said {
  const head = "\nUnable to communicate with tqhead(10.78.0.1)\nCannot connect to specified server host 'tqhead'.\n";
  return {
    err: `${head}${name}: cannot connect to server tqhead (errno=111) Connection refused\n`,
    code: name === 'qstat' ? 111 : 1,
  };
}

serve(COMMANDS, down);
