/**
 * The pools of the configuration, each with its clouds. What stands in a cloud wins over its pool, what stands in a pool
 * over everything outside; a site without `pools:` has one pool, described by all its keys together.
 */
import { resolve } from 'node:path';
import { SECOND_GENERATION_MARKS, secondGenerationDefaults } from '../cloud/registry.ts';
import type { Host } from '../domain/host.ts';
import type { Budget, CloudOffer } from '../domain/pool.ts';
import type { OptionValues } from '../lib/option.ts';
import type { Files } from './files.ts';
import { loadHosts, readHosts } from './hosts.ts';
import type { Given, Registries } from './known.ts';
import { most } from './node-counts.ts';
import { ownOptions, WHOLE_SERVICE } from './options.ts';
import { readPart } from './part.ts';
import { budgetOf, makeBilling, makePool, type Own } from './pool.ts';
import type { GivenPart, GivenPool } from './poolfile.ts';
import type { Findings } from './problems.ts';
import type { PoolSettings, Shown } from './settings.ts';
import { checkCloud, checkLimits, checkMoney, checkMount } from './together.ts';
import { type Reader, readValues } from './values.ts';

export interface PoolsInput {
  readonly registries: Registries;
  readonly files: Files;
  readonly findings: Findings;
  readonly configDir: string;
  /** POLL_INTERVAL, ms. */
  readonly poll: number;
}

/** A pool as far as it could be read. */
export interface ReadPool {
  /** Null when something is wrong. */
  readonly settings: PoolSettings | null;
  readonly own: Own;
  /** Names that others must not have, too; where they were given. */
  readonly given: GivenPart | null;
  readonly clouds: readonly ReadCloud[];
  /** What `describe` shows of this pool alone. */
  readonly shown: ReadonlyMap<string, Shown>;
}

export interface ReadCloud {
  readonly name: string;
  readonly kind: string;
  readonly values: OptionValues;
  readonly hosts: readonly Host[] | null;
  /** Where its hosts were read. */
  readonly hostsFile: string;
  readonly line: number | null;
  readonly own: Own;
  /** It stands under `clouds:`; else it is described by the keys of the pool. */
  readonly given: boolean;
}

/** The one pool of a site without `pools:`. `own` are the service's own values, read already. */
export function readOnlyPool(reader: Reader, own: Own, input: PoolsInput): ReadPool {
  return readOne(reader, own, null, input, true);
}

/** One entry of `pools:`. @param alone it is the only one, so it may take the hosts.json beside the configuration */
export function readNamedPool(whole: Reader, pool: GivenPool, alone: boolean, input: PoolsInput): ReadPool {
  const name = textOf(pool, 'POOL_NAME') ?? textOf(pool, 'QUEUE_NAME');
  const reader = within(whole, pool, `pool ${name ?? `on line ${pool.origin.line}`}`);
  const own = readValues(POOL_OPTIONS, reader, '') as Own;
  return readOne(reader, own, pool, input, alone);
}

const POOL_OPTIONS = ownOptions.filter((option) => !WHOLE_SERVICE.has(option.key));

function readOne(reader: Reader, own: Own, pool: GivenPool | null, input: PoolsInput, alone: boolean): ReadPool {
  const shown = new Map<string, Shown>();
  const parts = pool !== null && pool.clouds.length > 0 ? pool.clouds : [null];
  const bare = alone && parts.length === 1;
  const clouds = parts.map((part) => readCloud(reader, own, pool, part, parts.length, bare, input, shown));
  const planned = input.registries.planned ?? [];
  const bootstrap = readPart('BOOTSTRAP', own.BOOTSTRAP, input.registries.bootstrap, planned, reader);
  if (pool !== null && parts.length > 1) misplacedHosts(pool, input.findings);
  const hosts = clouds.flatMap((cloud) => cloud.hosts ?? []);
  const known = clouds.every((cloud) => cloud.hosts !== null);
  const where = clouds.map((cloud) => cloud.hostsFile).join(' and ');
  const limits = {
    minNodes: own.MIN_NODES === undefined ? 0 : most(own.MIN_NODES),
    maxNodes: own.MAX_NODES,
    budgetNodes: own.BUDGET_NODES,
  };
  checkLimits({ ...limits, hosts: known ? hosts : null, hostsFile: where }, reader);
  checkMoney(own, clouds, reader);
  checkMount(bootstrap.name, bootstrap.values, reader);
  if (pool !== null)
    for (const [key, one] of reader.shown) if (pool.given.some((g) => g.key === key)) shown.set(key, one);
  if (input.findings.problems.length > 0 || !known) return { settings: null, own, given: pool, clouds, shown };

  const several = clouds.length > 1;
  const named = several
    ? clouds.flatMap((cloud) => (cloud.hosts ?? []).map((host) => ({ ...host, cloud: cloud.name })))
    : hosts;
  const budget = several
    ? budgetOf(own)
    : strictest(budgetOf(own), clouds[0]?.given === true ? budgetOf(clouds[0].own) : undefined);
  const offers = clouds.map((cloud) => offer(cloud, several ? own : null, input.poll));
  const priced =
    several || offers.some((one) => one.pricePerHour > 0 || one.budget !== undefined) || budget !== undefined;
  const settings: PoolSettings = {
    pool: {
      ...makePool(own, named, input.poll, several ? undefined : clouds[0]?.own.MAX_NODES),
      ...(priced ? { clouds: offers } : {}),
      ...(budget === undefined ? {} : { budget }),
    },
    clouds: clouds.map(({ name, kind, values, hosts: of }) => ({ name, kind, values, hosts: of ?? [] })),
    bootstrap: bootstrap.name,
    bootstrapValues: bootstrap.values,
  };
  return { settings, own, given: pool, clouds, shown };
}

function readCloud(
  pool: Reader,
  poolOwn: Own,
  givenPool: GivenPool | null,
  part: GivenPart | null,
  clouds: number,
  bare: boolean,
  input: PoolsInput,
  shown: Map<string, Shown>,
): ReadCloud {
  const name = part === null ? null : (textOf(part, 'CLOUD_NAME') ?? textOf(part, 'CLOUD'));
  const reader =
    part === null ? pool : within(pool, part, `cloud ${name ?? `on line ${part.origin.line}`} of ${pool.home?.name}`);
  const inherited = part === null ? poolOwn : (readValues(INHERITED, reader, '') as Own);
  // Limits of a pool are not limits of each of its clouds: these are read only where they stand.
  const only = part === null ? {} : (readValues(NOT_INHERITED, alone(reader, part), '') as Own);
  const planned = input.registries.planned ?? [];
  const { name: kind, values } = readPart('CLOUD', inherited.CLOUD, input.registries.cloud, planned, reader);
  const given = part?.hosts != null || (part !== null && textOf(part, 'HOSTS_FILE') !== null) ? part : givenPool;
  const hosts = hostsOf(reader, clouds > 1 ? part : given, bare, input);
  checkCloud(kind, values, reader);
  if (part !== null) {
    const label = name ?? kind;
    for (const [key, one] of reader.shown) if (part.given.some((g) => g.key === key)) shown.set(`${label}.${key}`, one);
  }
  const own = {
    ...inherited,
    ...(part === null ? {} : { MAX_NODES: undefined, CLOUD_NAME: undefined }),
    ...only,
  } as Own;
  return {
    name: own.CLOUD_NAME ?? kind,
    kind,
    values,
    own,
    ...hosts,
    line: part?.origin.line ?? null,
    given: part !== null,
  };
}

const LOCAL: ReadonlySet<string> = new Set([
  'MAX_NODES',
  'CLOUD_NAME',
  ...ownOptions.map((option) => option.key).filter((key) => key.startsWith('BUDGET_')),
]);
const NOT_INHERITED = ownOptions.filter((option) => LOCAL.has(option.key));
const INHERITED = ownOptions.filter((option) =>
  ['CLOUD', 'PRICE_PER_HOUR', 'HOSTS_FILE', 'BILLING_GRANULARITY', 'MINIMUM_CHARGE'].includes(option.key),
);

/** @param pool what the pool says, when it has several clouds */
function offer(cloud: ReadCloud, pool: Own | null, poll: number): CloudOffer {
  const several = pool !== null;
  const most = cloud.hosts?.length ?? 0;
  const budget = several ? budgetOf(cloud.own) : undefined;
  const { BILLING_GRANULARITY, MINIMUM_CHARGE = 0 } = cloud.own;
  return {
    name: cloud.name,
    pricePerHour: cloud.own.PRICE_PER_HOUR ?? 0,
    maxNodes: several ? Math.min(cloud.own.MAX_NODES ?? most, most) : most,
    ...(budget === undefined ? {} : { budget }),
    ...(pool !== null && BILLING_GRANULARITY !== undefined && bills(cloud.own, pool)
      ? { billing: makeBilling(BILLING_GRANULARITY, MINIMUM_CHARGE, poll) }
      : {}),
  };
}

/** Does it bill otherwise than its pool says? */
function bills(cloud: Own, pool: Own): boolean {
  return cloud.BILLING_GRANULARITY !== pool.BILLING_GRANULARITY || cloud.MINIMUM_CHARGE !== pool.MINIMUM_CHARGE;
}

/** A pool with one cloud has one set of limits: of two the lower one counts. */
function strictest(a: Budget | undefined, b: Budget | undefined): Budget | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return {
    nodes: least(a.nodes, b.nodes) ?? null,
    nodeHoursPerDay: least(a.nodeHoursPerDay, b.nodeHoursPerDay) ?? null,
    nodeHoursPerMonth: least(a.nodeHoursPerMonth, b.nodeHoursPerMonth) ?? null,
    moneyPerDay: least(a.moneyPerDay, b.moneyPerDay) ?? null,
    moneyPerMonth: least(a.moneyPerMonth, b.moneyPerMonth) ?? null,
    warnAt: Math.min(a.warnAt, b.warnAt),
  };
}

function least(a: number | null | undefined, b: number | null | undefined): number | undefined {
  const given = [a, b].filter((one) => one !== null && one !== undefined);
  return given.length === 0 ? undefined : Math.min(...given);
}

/** The hosts of a cloud: from its own `hosts:`, its file, or, where there is no doubt, the file beside the configuration. */
function hostsOf(reader: Reader, part: GivenPart | null, bare: boolean, input: PoolsInput) {
  const { files, findings, configDir } = input;
  const inline = part?.hosts ?? null;
  const file = part === null ? null : textOf(part, 'HOSTS_FILE');
  if (inline !== null) {
    const { origin, place, node } = inline;
    if (file !== null) {
      const message = 'hosts and hosts_file are both there';
      findings.problems.push({
        file: origin.file,
        line: origin.line,
        key: 'HOSTS',
        message,
        hint: 'remove one of them',
      });
    }
    const where = { file: origin.file, place, example: 'e.g. hosts: { 172.30.2.101: c1 }' };
    return { hosts: readHosts(where, node, findings), hostsFile: `${origin.file}:${origin.line}` };
  }
  if (file === null && !bare) {
    const { origin, name } = reader.home ?? { origin: { file: reader.sources.envFile, line: null }, name: 'the pool' };
    const message = `${name} has no hosts`;
    const hint = 'write hosts: with an address and a name in each line, or hosts_file:';
    if (part?.broken.includes('HOSTS_FILE') !== true)
      findings.problems.push({ file: origin.file, line: origin.line, key: 'HOSTS', message, hint });
    return { hosts: null, hostsFile: origin.file };
  }
  const path = resolve(configDir, file ?? reader.sources.given.get('HOSTS_FILE')?.text ?? 'hosts.json');
  return { hosts: loadHosts(path, files, findings), hostsFile: path };
}

/** A pool of several clouds has no hosts of its own: nobody could say which cloud makes their machines. */
function misplacedHosts(pool: GivenPool, findings: Findings): void {
  const file = pool.given.find((one) => one.key === 'HOSTS_FILE');
  const origin = pool.hosts?.origin ?? file?.origin;
  if (origin === undefined) return;
  const message = 'a pool of several clouds has its hosts in each of them';
  findings.problems.push({
    file: origin.file,
    line: origin.line,
    key: 'HOSTS',
    message,
    hint: 'move them below clouds:',
  });
}

/** A reader that sees what stands in this part first, and what is outside of it behind that. */
function within(outer: Reader, part: GivenPart, name: string): Reader {
  const given = new Map<string, Given>(outer.sources.given);
  for (const one of part.given) given.set(one.key, one);
  const second = SECOND_GENERATION_MARKS.some((key) => given.has(key));
  return {
    ...outer,
    sources: {
      ...outer.sources,
      given,
      mayBeMeant: (key) => part.broken.includes(key) || outer.sources.mayBeMeant(key),
    },
    defaults: second ? secondGenerationDefaults(given.has('NFS_MOUNT_POINT')) : {},
    shown: new Map(),
    wrong: new Set(),
    home: { origin: part.origin, name },
  };
}

/** The same reader, blind for everything outside the part. */
function alone(reader: Reader, part: GivenPart): Reader {
  return { ...reader, sources: { ...reader.sources, given: new Map(part.given.map((one) => [one.key, one])) } };
}

function textOf(part: GivenPart, key: string): string | null {
  return part.given.findLast((one) => one.key === key)?.text ?? null;
}
