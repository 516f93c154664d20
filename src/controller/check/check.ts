/**
 * `hybrid-cloud check`: is everything there that the service needs? Asks each part, changes nothing. A part that
 * fails or hangs is one line and does not keep the others from answering.
 */
import type { Batch, QueueStatus } from '../../batch/batch.ts';
import type { Bootstrap } from '../../bootstrap/bootstrap.ts';
import type { Machine } from '../../domain/machine.ts';
import type { Pool } from '../../domain/pool.ts';
import { count, list } from '../../domain/words.ts';
import type { NamedCloud } from '../clouds.ts';
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
  readonly clouds: readonly NamedCloud[];
  readonly bootstrap: Bootstrap;
}

export interface CheckTools extends AskTools {
  /** Looks names up, where the batch system's commands run. Without it that is left out. */
  readonly names?: NameTools;
  /** Resolves when files can be made in the folder (it may have to be made first); rejects with the reason. */
  readonly writable: (folder: string) => Promise<void>;
}

/** One pool of several, with the adapters it has for itself. */
export interface CheckPool {
  readonly pool: Pool;
  readonly ports: CheckPorts;
}

/** One line or more for every part, always in the same order. Never throws for what a part does. */
export async function checkAll(settings: CheckSettings, ports: CheckPorts, tools: CheckTools): Promise<CheckLine[]> {
  return checkPools(settings, [{ pool: settings.pool, ports }], tools);
}

/** The same for several pools: what belongs to one of them says its name, and the configuration is told once. */
export async function checkPools(
  settings: CheckSettings,
  pools: readonly CheckPool[],
  tools: CheckTools,
): Promise<CheckLine[]> {
  const ask = asker(tools);
  const [state, ...each] = await Promise.all([
    checkState(settings.stateDir, tools, ask),
    ...pools.map(({ pool, ports }) => checkPool({ ...settings, pool }, ports, tools, ask)),
  ]);
  const named = (name: string, lines: readonly CheckLine[]) =>
    pools.length === 1 ? lines : lines.map((line) => ({ ...line, what: `${name}: ${line.what}` }));
  const several = pools.map(({ pool }, at) => ({ name: pool.name, pool, lines: each[at] }));
  return [
    ...checkConfiguration(settings),
    ...several.flatMap(({ name, pool }) => named(name, [registered(pool)])),
    ...several.flatMap(({ name, lines }) => named(name, lines?.sides ?? [])),
    state,
    ...several.flatMap(({ name, lines }) => named(name, lines?.bootstrap ?? [])),
  ];
}

async function checkPool(settings: CheckSettings, ports: CheckPorts, tools: CheckTools, ask: Ask) {
  const several = ports.clouds.length > 1;
  const [batch, clouds, names, bootstrap] = await Promise.all([
    checkBatch(settings, ports.batch, ask),
    Promise.all(ports.clouds.map((one) => checkCloud(several ? `cloud ${one.name}` : 'cloud', one, ask))),
    tools.names === undefined ? [] : checkNames(settings.pool.hosts, settings.batchSystem, tools.names, ask),
    ask('bootstrap', (signal) => ports.bootstrap.check(signal)),
  ]);
  const told = clouds.every((cloud) => cloud.machines !== null);
  const machines = told ? clouds.flatMap((cloud) => cloud.machines ?? []) : null;
  return {
    sides: [
      ...batch.lines,
      ...(batch.status === null ? [] : checkQueue(settings, batch.status, machines)),
      ...names,
      ...clouds.flatMap((cloud) => cloud.lines),
    ],
    bootstrap: ['value' in bootstrap ? ok('bootstrap', bootstrap.value) : bootstrap.line],
  };
}

function registered(pool: Pool): CheckLine {
  const names = pool.hosts.map((host) => host.name);
  return ok('hosts', `${count(names.length, 'host', 'hosts')} registered: ${list(names)}`);
}

function checkConfiguration(settings: CheckSettings): CheckLine[] {
  return [
    ok('configuration', `${count(settings.sources.size, 'setting', 'settings')}, read from ${list(settings.files)}`),
    ...settings.notices.map((notice) => note('configuration', notice, '')),
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

async function checkCloud(what: string, one: NamedCloud, ask: Ask) {
  const [answers, remarks] = await Promise.all([checkAnswers(what, one, ask), checkRemarks(what, one, ask)]);
  return { ...answers, lines: [...answers.lines, ...remarks] };
}

async function checkAnswers(what: string, { cloud }: NamedCloud, ask: Ask) {
  const checked = await ask(what, (signal) => cloud.check(signal));
  if ('line' in checked) return { lines: [checked.line], machines: null };
  const lines = [ok(what, checked.value)];
  const listed = await ask(what, (signal) => cloud.list(signal));
  if ('line' in listed) return { lines: [...lines, listed.line], machines: null };
  const names = listed.value.map((machine) => machine.host);
  const text =
    names.length === 0 ? 'lists no machine' : `lists ${count(names.length, 'machine', 'machines')}: ${list(names)}`;
  return { lines: [...lines, ok(what, text)], machines: listed.value };
}

async function checkRemarks(what: string, { cloud }: NamedCloud, ask: Ask): Promise<CheckLine[]> {
  const remarks = await ask(what, async (signal) => (await cloud.remarks?.(signal)) ?? []);
  if ('line' in remarks) return [remarks.line];
  return remarks.value.map((one) => (one.wrong ? wrong : note)(what, one.text, one.hint));
}

async function checkState(folder: string, tools: CheckTools, ask: Ask): Promise<CheckLine> {
  const answer = await ask('state', () => tools.writable(folder));
  if (!('line' in answer)) return ok('state', `${folder} can be written`);
  const hint = `make it and give it to the user of the service, or set STATE_DIR`;
  return wrong('state', `${folder} cannot be written: ${answer.line.text}`, hint);
}
