/**
 * `hybrid-cloud check`: is everything there that the service needs? Asks each part, changes nothing. A part that
 * fails or hangs is one line and does not keep the others from answering.
 */
import type { Batch, QueueStatus } from '../../batch/batch.ts';
import type { Bootstrap } from '../../bootstrap/bootstrap.ts';
import type { Cloud } from '../../cloud/cloud.ts';
import type { Machine } from '../../domain/machine.ts';
import type { Pool } from '../../domain/pool.ts';
import { count, list } from '../../domain/words.ts';
import { type Ask, type AskTools, asker, type CheckLine, note, ok, wrong } from './ask.ts';
import { absentHint, outsideHint } from './hints.ts';
import { checkNames, type NameTools } from './names.ts';

export type { CheckLine } from './ask.ts';

/** What of the configuration is looked at. */
export interface CheckSettings {
  readonly pool: Pool;
  readonly batchSystem: string;
  readonly stateDir: string;
  readonly files: readonly string[];
  readonly notices: readonly string[];
  /** By key. */
  readonly sources: ReadonlyMap<string, unknown>;
}

export interface CheckPorts {
  readonly batch: Batch;
  readonly cloud: Cloud;
  readonly bootstrap: Bootstrap;
}

export interface CheckTools extends AskTools {
  /** Looks names up, where the batch system's commands run. Without it that is left out. */
  readonly names?: NameTools;
  /** Resolves when files can be made in the folder (it may have to be made first); rejects with the reason. */
  readonly writable: (folder: string) => Promise<void>;
}

/** One line or more for every part, always in the same order. Never throws for what a part does. */
export async function checkAll(settings: CheckSettings, ports: CheckPorts, tools: CheckTools): Promise<CheckLine[]> {
  const ask = asker(tools);
  const [batch, cloud, remarks, names, state, bootstrap] = await Promise.all([
    checkBatch(settings, ports.batch, ask),
    checkCloud(ports.cloud, ask),
    checkRemarks(ports.cloud, ask),
    tools.names === undefined ? [] : checkNames(settings.pool.hosts, settings.batchSystem, tools.names, ask),
    checkState(settings.stateDir, tools, ask),
    ask('bootstrap', (signal) => ports.bootstrap.check(signal)),
  ]);
  return [
    ...checkConfiguration(settings),
    ...batch.lines,
    ...(batch.status === null ? [] : checkQueue(settings, batch.status, cloud.machines)),
    ...names,
    ...cloud.lines,
    ...remarks,
    state,
    'value' in bootstrap ? ok('bootstrap', bootstrap.value) : bootstrap.line,
  ];
}

function checkConfiguration(settings: CheckSettings): CheckLine[] {
  const { pool } = settings;
  const names = pool.hosts.map((host) => host.name);
  return [
    ok('configuration', `${count(settings.sources.size, 'setting', 'settings')}, read from ${list(settings.files)}`),
    ...settings.notices.map((notice) => note('configuration', notice, '')),
    ok('hosts', `${count(names.length, 'host', 'hosts')} registered: ${list(names)}`),
  ];
}

async function checkBatch(settings: CheckSettings, batch: Batch, ask: Ask) {
  const version = await ask('batch system', (signal) => batch.checkVersion(signal));
  // Without the commands the queue cannot be asked either: the same trouble need not be told twice.
  if ('line' in version) return { lines: [version.line], status: null };
  const lines = [ok('batch system', version.value.text)];
  const names = settings.pool.hosts.map((host) => host.name);
  const status = await ask('queue', (signal) => batch.getStatus(settings.pool.queue, names, signal));
  if ('line' in status) return { lines: [...lines, status.line], status: null };
  return { lines, status: status.value };
}

/** What the batch system says about the queue and our hosts. `machines` is null when the cloud did not tell. */
function checkQueue(settings: CheckSettings, status: QueueStatus, machines: readonly Machine[] | null): CheckLine[] {
  const { queue } = settings.pool;
  const family = settings.batchSystem;
  const tally = Object.entries(status.tally).map(([code, n]) => `${n} ${code}`);
  const lines = [ok('queue', `${queue} is there, ${tally.length === 0 ? 'without jobs' : `with ${tally.join(', ')}`}`)];
  const known = status.nodes.filter((node) => node.state !== 'absent');
  const absent = status.nodes.filter((node) => node.state === 'absent').map((node) => node.host);
  const outside = known.filter((node) => !node.inQueue).map((node) => node.host);
  if (absent.length > 0) {
    lines.push(wrong('hosts', `${family} does not know ${list(absent)}`, absentHint(family, absent)));
  }
  if (outside.length > 0) {
    const verb = outside.length === 1 ? 'is' : 'are';
    lines.push(
      wrong('hosts', `${list(outside)} ${verb} not in the queue ${queue}`, outsideHint(family, queue, outside)),
    );
  }
  if (absent.length === 0 && outside.length === 0)
    lines.push(ok('hosts', `all are known to ${family} and in the queue`));
  const open = known.filter((node) => node.closed === 'no' && machines?.some((m) => m.host === node.host) === false);
  if (open.length > 0) {
    const text = `${list(open.map((node) => node.host))}: open for jobs without a machine`;
    lines.push(note('hosts', text, 'the service closes such hosts when it starts'));
  }
  for (const record of status.unreadable) lines.push(note('queue', `cannot be read: ${record}`, ''));
  return lines;
}

async function checkCloud(cloud: Cloud, ask: Ask) {
  const checked = await ask('cloud', (signal) => cloud.check(signal));
  if ('line' in checked) return { lines: [checked.line], machines: null };
  const lines = [ok('cloud', checked.value)];
  const listed = await ask('cloud', (signal) => cloud.list(signal));
  if ('line' in listed) return { lines: [...lines, listed.line], machines: null };
  const names = listed.value.map((machine) => machine.host);
  const text =
    names.length === 0 ? 'lists no machine' : `lists ${count(names.length, 'machine', 'machines')}: ${list(names)}`;
  return { lines: [...lines, ok('cloud', text)], machines: listed.value };
}

async function checkRemarks(cloud: Cloud, ask: Ask): Promise<CheckLine[]> {
  const remarks = await ask('cloud', async (signal) => (await cloud.remarks?.(signal)) ?? []);
  if ('line' in remarks) return [remarks.line];
  return remarks.value.map((one) => (one.wrong ? wrong : note)('cloud', one.text, one.hint));
}

async function checkState(folder: string, tools: CheckTools, ask: Ask): Promise<CheckLine> {
  const answer = await ask('state', () => tools.writable(folder));
  if (!('line' in answer)) return ok('state', `${folder} can be written`);
  const hint = `make it and give it to the user of the service, or set STATE_DIR`;
  return wrong('state', `${folder} cannot be written: ${answer.line.text}`, hint);
}
