/**
 * bench/burst: exclusive one-node jobs submitted together on a real Slurm; how long they wait, compared with the boot
 * time, and how soon the cloud is asked. `node bench/burst.ts [--boot 5] [--jobs 4] [--hosts 4] [--json FILE]`, as root.
 */
import { parseArgs } from 'node:util';
import { type Lab, startLab, until } from '../test/support/lab.ts';
import { mean, printFigures, withClosing } from './figures.ts';

const { values } = parseArgs({
  options: {
    boot: { type: 'string', default: '5' },
    jobs: { type: 'string', default: '4' },
    hosts: { type: 'string', default: '4' },
    poll: { type: 'string', default: '5' },
    hook: { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});
const boot = Number(values.boot);
const jobs = Number(values.jobs);
const hosts = Number(values.hosts);
const poll = Number(values.poll);

await withClosing(async (closing) => {
  const lab = await startLab(closing, {
    name: 'burst',
    net: '10.85.1',
    portBase: 25000,
    hosts,
    bootTime: boot,
    settings: { POLL_INTERVAL: poll },
    hook: values.hook,
  });
  await lab.start();
  await until(
    'the gate of all hosts is closed',
    async () => (await lab.nodes()).every((node) => /DRAIN/.test(node.batch?.words ?? '')),
    30,
  );
  // In the middle of a quiet interval: neither just before nor just after a look.
  await until('a look is behind us', async () => ((await lab.status()).nextLookAt ?? 0) - Date.now() > poll * 400, 30);
  const submitted = Date.now();
  const ids: string[] = [];
  for (let i = 0; i < jobs; i++) ids.push(await lab.submit('sleep 20', '--exclusive'));
  await until(
    'all have started',
    async () => (await starts(lab, ids)).every((at) => at !== null),
    60 + boot * Math.ceil(jobs / hosts) + 40 * Math.ceil(jobs / hosts),
  );
  const first = (await starts(lab, ids)).filter((at) => at !== null).slice(0, Math.min(jobs, hosts));
  const waits = first.map((at) => at / 1000 - submitted / 1000);
  const made = lab.account().filter((line) => line.what === 'create');
  const asked = Math.min(...made.map((line) => line.at)) - submitted;
  printFigures(
    `burst: ${jobs} exclusive jobs on ${hosts} hosts, boot time ${boot} s, POLL_INTERVAL ${poll} s${values.hook ? ', with the submit hook' : ''}`,
    [
      {
        what: 'mean wait of the first jobs, one for each host',
        value: mean(waits),
        unit: 's',
        against: { value: boot, what: 'the boot time' },
      },
      {
        what: 'longest of these',
        value: Math.max(...waits),
        unit: 's',
        against: { value: boot, what: 'the boot time' },
      },
      {
        what: 'submission to the create call',
        value: asked / 1000,
        unit: 's',
        against: { value: poll, what: 'POLL_INTERVAL' },
      },
      {
        what: 'machines created',
        value: made.length,
        unit: '',
        against: { value: Math.min(jobs, hosts), what: 'needed' },
      },
    ],
    values.json,
  );
});

/** When each job started, epoch ms, or null: as Slurm itself says, in whole seconds. */
async function starts(lab: Lab, ids: readonly string[]): Promise<(number | null)[]> {
  return Promise.all(
    ids.map(async (id) => {
      const text = await lab.slurm('scontrol', '-o', 'show', 'job', id);
      const state = /JobState=(\S+)/.exec(text)?.[1];
      const at = /StartTime=(\S+)/.exec(text)?.[1] ?? '';
      return state === 'RUNNING' || state === 'COMPLETED' || state === 'COMPLETING' ? Date.parse(at) : null;
    }),
  );
}
