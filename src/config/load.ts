/**
 * Loads the configuration: reads every source, checks every value, and either returns settings that can be used or
 * throws one error with everything that is wrong.
 */
import { resolve } from 'node:path';
import { SECOND_GENERATION_MARKS, secondGenerationDefaults } from '../cloud/registry.ts';
import { checkApart } from './apart.ts';
import { diskFiles, type Files } from './files.ts';
import { knownKeys, type Registries } from './known.ts';
import { ownOptions, WHOLE_SERVICE } from './options.ts';
import { readPart } from './part.ts';
import { given, type Own, shown } from './pool.ts';
import { type ReadPool, readNamedPool, readOnlyPool } from './pools.ts';
import { ConfigError, type Findings, type Problem, sayProblem, withoutSecrets } from './problems.ts';
import type { Settings, Shown } from './settings.ts';
import { readSources, type SourceInput } from './sources.ts';
import { type Reader, readValues } from './values.ts';

export interface LoadInput extends SourceInput, Partial<Files> {
  readonly registries: Registries;
}

/** @throws ConfigError with all problems of all files */
export function load(input: LoadInput): { settings: Settings } {
  const files: Files = input.readFile
    ? { readFile: input.readFile, fileMode: input.fileMode }
    : { ...diskFiles, ...(input.fileMode ? { fileMode: input.fileMode } : {}) };
  const known = knownKeys(input.registries);
  const findings: Findings = { problems: [], notices: [] };
  const sources = readSources(input, files, known, findings);
  const second = SECOND_GENERATION_MARKS.some((key) => sources.given.has(key));
  const reader: Reader = {
    known,
    sources,
    findings,
    defaults: second ? secondGenerationDefaults(sources.given.has('NFS_MOUNT_POINT')) : {},
    defaultsFrom: 'default of the second generation',
    shown: new Map(),
    wrong: new Set(),
  };

  const own = readValues(ownOptions, reader, '') as Own;
  const planned = input.registries.planned ?? [];
  const batch = readPart('BATCH_SYSTEM', own.BATCH_SYSTEM, input.registries.batch, planned, reader);
  const hostsFile = resolve(sources.configDir, own.HOSTS_FILE ?? 'hosts.json');
  const poll = own.POLL_INTERVAL ?? 0;
  const parts = { registries: input.registries, files, findings, configDir: sources.configDir, poll };
  const alone = sources.pools.length === 1;
  const read =
    sources.pools.length === 0
      ? [readOnlyPool(reader, own, parts)]
      : sources.pools.map((pool) => readNamedPool(reader, pool, alone, parts));
  checkApart(read, findings);

  const hidden = sources.secrets.filter((secret) => secret.length >= 4);
  const pools = read.flatMap((one) => one.settings ?? []);
  const [first] = pools;
  if (findings.problems.length > 0 || first === undefined) {
    throw new ConfigError(inOrder(findings.problems).map((problem) => withoutSecrets(problem, hidden)));
  }
  const { pool } = first;
  const [cloud] = first.clouds;
  const whole = shown(reader, pool, sources.configDir, hostsFile, own);
  return {
    settings: {
      pools,
      pool,
      batchSystem: batch.name,
      cloud: cloud?.kind ?? '',
      bootstrap: first.bootstrap,
      values: { batch: batch.values, cloud: cloud?.values ?? {}, bootstrap: first.bootstrapValues },
      pollInterval: given(own.POLL_INTERVAL),
      stateDir: given(own.STATE_DIR),
      apiSocket: given(own.API_SOCKET),
      apiGroup: own.API_GROUP ?? null,
      standbyDir: own.STANDBY_DIR ?? given(own.STATE_DIR),
      takeover: given(own.TAKEOVER_TIME),
      backup: { every: given(own.BACKUP_INTERVAL), keep: given(own.BACKUP_KEEP) },
      logLevel: given(own.LOG_LEVEL),
      logStyle: given(own.LOG_STYLE),
      configDir: sources.configDir,
      hostsFile,
      generation: second ? 2 : 1,
      files: [...new Set([...sources.files, ...hostFiles(read)])],
      notices: inOrder(findings.notices).map((notice) => sayProblem(withoutSecrets(notice, hidden))),
      secrets: sources.secrets,
      sources: sources.pools.length === 0 ? whole : new Map([...outside(whole), ...inPools(read)]),
    },
  };
}

/** Files of hosts; those written into hybrid-cloud.yaml are read with it. */
function hostFiles(read: readonly ReadPool[]): string[] {
  return read.flatMap((pool) => pool.clouds.map((cloud) => cloud.hostsFile)).filter((file) => !/:\d+$/.test(file));
}

/** Values outside `pools:` that were given or belong to the whole service; defaults that pools may change say nothing. */
function outside(whole: Settings['sources']): [string, Shown][] {
  return [...whole].filter(([key, { source }]) => WHOLE_SERVICE.has(key) || !source.startsWith('default'));
}

/** `cpu.MAX_NODES`, `cpu.aws.PRICE_PER_HOUR`. */
function inPools(read: readonly ReadPool[]): [string, Shown][] {
  return read.flatMap((pool) => {
    const name = pool.settings?.pool.name ?? '';
    return [...pool.shown].map(([key, one]): [string, Shown] => [`${name}.${key}`, one]);
  });
}

/** File by file as they were read, each from top to bottom; what is missing comes last. */
function inOrder(problems: readonly Problem[]): Problem[] {
  const order = [...new Set(problems.map((problem) => problem.file))];
  return problems.toSorted(
    (a, b) =>
      order.indexOf(a.file) - order.indexOf(b.file) ||
      (a.line ?? Number.POSITIVE_INFINITY) - (b.line ?? Number.POSITIVE_INFINITY) ||
      (a.column ?? 0) - (b.column ?? 0),
  );
}
