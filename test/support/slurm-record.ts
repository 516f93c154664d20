/**
 * Records what the real commands print, for the parsers' tests: `node test/support/slurm-record.ts` as root writes
 * src/batch/slurm/fixtures/<release>/. The marks between values, new in every call, are written as `_S_` and `_E_`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { askJobs } from '../../src/batch/slurm/job-records.ts';
import { makeSlurmWorld, type SlurmWorld, until } from './slurm-world.ts';

/** c1 has nothing special, c2 is near, c3 and c4 have GPUs; the files behind them are only names to Slurm. */
const MIXED = {
  more: ['GresTypes=gpu,fs'],
  nodes: {
    c2: 'Feature=near',
    c3: 'Gres=gpu:a100:2,fs:1 Feature=fast,near',
    c4: 'Gres=gpu:a100:1,gpu:v100:1 Feature=fast',
  },
  gres: [
    'AutoDetect=off',
    'NodeName=c3 Name=gpu Type=a100 File=/dev/null',
    'NodeName=c3 Name=gpu Type=a100 File=/dev/zero',
    'NodeName=c3 Name=fs Count=1',
    'NodeName=c4 Name=gpu Type=a100 File=/dev/null',
    'NodeName=c4 Name=gpu Type=v100 File=/dev/zero',
  ],
};

/** Every way to ask for GPUs and features. */
const ASKS: readonly (readonly [name: string, ...words: string[]])[] = [
  ['gres', '--gres=gpu:1'],
  ['gres typed', '--gres=gpu:a100:2'],
  ['gres without count', '--gres=gpu'],
  ['gres none', '--gres=none'],
  ['gres of two kinds', '--gres=gpu:1,fs:1'],
  ['gpus', '--gpus=3'],
  ['gpus on two', '-N2', '--gpus=3'],
  ['gpus typed', '--gpus=a100:1,v100:1'],
  ['gpus per task', '-n3', '--gpus-per-task=1'],
  ['gpus per node', '-N2', '--gpus-per-node=a100:1'],
  ['gpus per socket', '--sockets-per-node=2', '--gpus-per-socket=1'],
  ['cpus per gpu', '--gpus=2', '--cpus-per-gpu=2'],
  ['word', '-C', 'fast'],
  ['and', '-C', 'fast&near'],
  ['comma', '-C', 'fast,near'],
  ['or', '-C', 'near|fast'],
  ['from the left', '-C', 'near|fast&near'],
  ['parentheses', '-C', 'near|(fast&near)'],
  ['alike', '-N2', '-C', '[near|fast]'],
  ['counts', '-N2', '-C', '[near*1&fast*1]'],
  ['count', '-N2', '-C', 'fast*2'],
  ['many tasks on fast ones', '-n8', '-C', 'fast'],
  ['GPUs and features', '-N2', '--gres=gpu:1', '-C', 'fast'],
];

/** What keeps jobs waiting besides nodes. */
const LIMITED = { more: ['Licenses=matlab:2,octave:1'] };

function limits(first: string): readonly (readonly [name: string, ...words: string[]])[] {
  return [
    ['depends', `--dependency=afterok:${first}`],
    ['depends on either', `--dependency=afterany:${first}?afterok:${Number(first) + 1}`],
    ['single', '--dependency=singleton'],
    ['single', '--dependency=singleton'],
    ['later', '--begin=now+600'],
    ['soon', '--begin=now+3'],
    ['two licences', '-L', 'matlab:2'],
    ['no licence left', '-L', 'matlab:1'],
    ['two kinds', '-L', 'octave:1,matlab:1'],
    ['array with licences', '--array=1-3', '-L', 'octave:1'],
    ['array of two at a time', '--array=1-5%2'],
    ['array that depends', '--array=1-3', `--dependency=aftercorr:${first}`],
    ['two tasks on each', '-N2', '--ntasks-per-node=2'],
    ['two tasks on each, four in all', '-n4', '--ntasks-per-node=2'],
    ['one task of two CPUs on each', '-n4', '--ntasks-per-node=1', '-c2'],
    ['one to three nodes', '-N1-3', '-n3'],
    ['four CPUs on its node', '--mincpus=4'],
    ['a day', '--time=1-00:00:00'],
  ];
}

const root = join(import.meta.dirname, '../../src/batch/slurm/fixtures');

let world = await makeSlurmWorld({ hosts: 4, more: ['NodeName=x1 NodeAddr=10.78.0.99 CPUs=2 State=UNKNOWN'] });
await using _whichever = { [Symbol.asyncDispose]: () => world.dispose() };
const version = (await world.command('scontrol', '--version')).trim();
const folder = join(root, /(\d+\.\d+)/.exec(version)?.[1] ?? 'unknown');
mkdirSync(folder, { recursive: true });

await keep('version.txt', ['scontrol', '--version']);
await keep('config.txt', [
  'sh',
  '-c',
  'scontrol show config | grep -E "^(SelectType|DefMem|ReturnToService|SLURM_VERSION)"',
]);
await keep('nodes-never-registered.txt', ['scontrol', '-o', '-d', 'show', 'node', 'c[1-4]']);
await keep('nodes-some-unknown.txt', ['scontrol', '-o', '-d', 'show', 'node', 'c[1-2,8-9]']);
await keep('partition-unknown.txt', ['scontrol', '-o', 'show', 'partition', 'nope']);
await keepJobs('jobs-none', world);

await world.command('scontrol', 'update', 'NodeName=c[1-4]', 'State=DRAIN', 'Reason=hybrid-cloud: no machine');
await keep('nodes-drained-before-birth.txt', ['scontrol', '-o', '-d', 'show', 'node', 'c[1-4]']);
const batch = (...words: string[]): Promise<string> =>
  world.command('sbatch', '--parsable', '--output=/dev/null', `--chdir=${world.dir}`, ...words);
await batch('-J', 'one', '--mem=100', '--wrap', 'sleep 60');
await batch('-J', 'exclusive', '--exclusive', '--wrap', 'sleep 60');
await batch('-J', 'two nodes', '-N2', '--mem=100', '--wrap', 'sleep 60');
await batch('-J', 'four tasks of three', '-n4', '-c3', '--mem-per-cpu=50', '--wrap', 'sleep 60');
await batch('-J', 'no memory named', '--wrap', 'sleep 60');
await batch('-J', 'array', '--array=1-500,700%2', '--mem=100', '--wrap', 'sleep 60');
await batch('-J', 'array with step', '--array=0-1000:2', '--mem=100', '--wrap', 'sleep 60');
await batch('-J', 'array of odd ones', `--array=${odd()}`, '--mem=100', '--wrap', 'sleep 60');
await batch('-J', 'held', '--hold', '--mem=100', '--wrap', 'sleep 60');
await batch('-J', 'later', '--begin=now+600', '--mem=100', '--wrap', 'sleep 60');
await batch('-J', 'too many', '-N9', '--mem=100', '--wrap', 'sleep 60');
await batch('-J', 'depends', '--dependency=afterok:1', '--mem=100', '--wrap', 'sleep 60');
await batch('-J', 'evil\nname_E_\n1_S_1|"x"\u001b[31m%i,%j', '--mem=100', '--wrap', 'sleep 60');
await batch('-J', 'user only', '--exclusive=user', '--mem=100', '--wrap', 'sleep 60');
await sleep(2500);
await keepJobs('jobs-all-drained', world);

for (const host of world.hosts.slice(0, 3)) await world.startNode(host);
await until('registered', async () => !/None|INVALID/.test(await start('c[1-3]')));
await keep('nodes-drained-registered.txt', ['scontrol', '-o', '-d', 'show', 'node', 'c[1-4]']);
await world.command('scontrol', 'update', 'NodeName=c[1-3]', 'State=IDLE');
await sleep(2500);
await world.command('scontrol', 'update', 'NodeName=c2', 'State=DRAIN', 'Reason=fan State=IDLE is broken = bad');
await keep('nodes-with-jobs.txt', ['scontrol', '-o', '-d', 'show', 'node', 'c[1-4]']);
await keepJobs('jobs-running', world);
await world.stopNode('c3');
await until('c3 down', async () => /State=DOWN/.test(await world.command('scontrol', '-o', 'show', 'node', 'c3')), 60);
await keep('nodes-one-lost.txt', ['scontrol', '-o', '-d', 'show', 'node', 'c[1-4]']);
await world.stopServer();
await keep('nodes-server-stopped.txt', ['scontrol', '-o', '-d', 'show', 'node', 'c[1-4]']);
await world.dispose();

world = await makeSlurmWorld({ hosts: 4, ...MIXED });
for (const [name, ...words] of ASKS) await batch('-J', name, '--mem=100', ...words, '--wrap', 'sleep 60');
await batch('-J', 'memory per GPU', '--gpus=3', '--mem-per-gpu=200', '--wrap', 'sleep 60');
await sleep(2500);
await keep('nodes-mixed-never-registered.txt', ['scontrol', '-o', '-d', 'show', 'node', 'c[1-4]']);
await keepJobs('jobs-mixed', world);
for (const host of world.hosts.slice(1)) await world.startNode(host);
await until('registered', async () => !/None|INVALID/.test(await start('c[2-4]')));
await sleep(4000);
await keep('nodes-mixed-with-jobs.txt', ['scontrol', '-o', '-d', 'show', 'node', 'c[1-4]']);
await keepJobs('jobs-mixed-running', world);
await world.dispose();

world = await makeSlurmWorld({ hosts: 4, ...LIMITED });
await world.command('scontrol', 'update', 'NodeName=c[1-4]', 'State=DRAIN', 'Reason=hybrid-cloud: no machine');
await sleep(2500);
const first = (await batch('-J', 'first', '--mem=100', '--time=30', '--wrap', 'sleep 60')).trim();
for (const [name, ...words] of limits(first)) await batch('-J', name, '--mem=100', ...words, '--wrap', 'sleep 60');
await keepJobs('jobs-limits-at-once', world);
await keep('licenses.txt', ['scontrol', '-o', 'show', 'licenses']);
await keep('partition-up.txt', ['scontrol', '-o', 'show', 'partition', 'cloud']);
await sleep(8000);
await keepJobs('jobs-limits', world);
await world.command('scontrol', 'update', 'PartitionName=cloud', 'State=DOWN');
await batch('-J', 'while down', '--mem=100', '--wrap', 'sleep 60');
await keepJobs('jobs-down-at-once', world);
await keep('partition-down.txt', ['scontrol', '-o', 'show', 'partition', 'cloud']);
await sleep(5000);
await keepJobs('jobs-down', world);
await world.command('scontrol', 'update', 'PartitionName=cloud', 'State=UP');
await world.command('scancel', first);
await sleep(5000);
await keepJobs('jobs-limits-cancelled', world);
process.stdout.write(`recorded ${version} in ${folder}\n`);

async function keep(name: string, command: readonly string[]): Promise<void> {
  const result = await world.run(command, { timeout: 20_000 });
  // the kernel of the machine that recorded is nobody's business
  const text = `${result.stdout}${result.stderr}`.replace(
    /OS=.*? {2}/g,
    'OS=Linux 6.1.0-40-amd64 #1 SMP Debian 6.1.1  ',
  );
  writeFileSync(join(folder, name), text);
}

async function keepJobs(name: string, from: SlurmWorld): Promise<void> {
  for (const style of ['long', 'short'] as const) {
    const question = askJobs(from.queue, style);
    const result = await from.run(question.command, { timeout: 20_000 });
    const text = result.stdout
      .replaceAll(question.separator, '_S_')

      .replaceAll(question.end, '_E_');
    // the forged mark in the hostile name must stay what it is: a text that is not the mark
    writeFileSync(join(folder, `${name}.${style}.txt`), text.replace('name_E_\n1_S_1', 'name<end>\n1<separator>1'));
  }
}

async function start(hosts: string): Promise<string> {
  const text = await world.command('scontrol', '-o', 'show', 'node', hosts);
  return (text.match(/State=\S+|SlurmdStartTime=\S+/g) ?? []).join(' ');
}

function odd(): string {
  return Array.from({ length: 100 }, (_, i) => 2 * i + 1 + (i % 3)).join(',');
}
