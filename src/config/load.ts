/**
 * Loads the configuration: reads every source, checks every value, and either returns settings that can be used or
 * throws one error with everything that is wrong.
 */
import { resolve } from 'node:path';
import { SECOND_GENERATION_MARKS, secondGenerationDefaults } from '../cloud/registry.ts';
import type { OptionValues } from '../lib/option.ts';
import { diskFiles, type Files } from './files.ts';
import { loadHosts } from './hosts.ts';
import { type Family, knownKeys, type Origin, type Registries, written } from './known.ts';
import { nearest } from './names.ts';
import { most } from './node-counts.ts';
import { ownOptions } from './options.ts';
import { given, makePool, type Own, shown } from './pool.ts';
import { ConfigError, type Findings, type Problem, quote, sayProblem, withoutSecrets } from './problems.ts';
import type { Settings } from './settings.ts';
import { readSources, type SourceInput } from './sources.ts';
import { checkCloud, checkLimits, checkMount } from './together.ts';
import { type Reader, readValues, wrong } from './values.ts';

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
  const cloud = readPart('CLOUD', own.CLOUD, input.registries.cloud, planned, reader);
  const bootstrap = readPart('BOOTSTRAP', own.BOOTSTRAP, input.registries.bootstrap, planned, reader);
  const hostsFile = resolve(sources.configDir, own.HOSTS_FILE ?? 'hosts.json');
  const hosts = loadHosts(hostsFile, files, findings);
  const minNodes = own.MIN_NODES === undefined ? 0 : most(own.MIN_NODES);
  checkLimits({ minNodes, maxNodes: own.MAX_NODES, hosts, hostsFile }, reader);
  checkCloud(cloud.name, cloud.values, reader);
  checkMount(bootstrap.name, bootstrap.values, reader);

  const hidden = sources.secrets.filter((secret) => secret.length >= 4);
  if (findings.problems.length > 0 || hosts === null) {
    throw new ConfigError(inOrder(findings.problems).map((problem) => withoutSecrets(problem, hidden)));
  }
  const pool = makePool(own, hosts);
  return {
    settings: {
      pool,
      batchSystem: batch.name,
      cloud: cloud.name,
      bootstrap: bootstrap.name,
      values: { batch: batch.values, cloud: cloud.values, bootstrap: bootstrap.values },
      pollInterval: given(own.POLL_INTERVAL),
      stateDir: given(own.STATE_DIR),
      apiSocket: given(own.API_SOCKET),
      logLevel: given(own.LOG_LEVEL),
      logStyle: given(own.LOG_STYLE),
      configDir: sources.configDir,
      hostsFile,
      generation: second ? 2 : 1,
      files: [...sources.files, hostsFile],
      notices: inOrder(findings.notices).map((notice) => sayProblem(withoutSecrets(notice, hidden))),
      secrets: sources.secrets,
      sources: shown(reader, pool, sources.configDir, hostsFile, own),
    },
  };
}

/** The options of the selected adapter; those of the others are not looked at. */
function readPart(key: string, asked: string | undefined, family: Family, planned: readonly string[], reader: Reader) {
  const name = (asked ?? '').toLowerCase();
  const part = Object.hasOwn(family, name) ? family[name] : undefined;
  if (part !== undefined) return { name, values: readValues(part.options, reader, `${key}=${name} needs it`) };
  if (!reader.wrong.has(key)) {
    const origin = reader.sources.given.get(key)?.origin;
    const place: Origin = origin ?? { kind: 'default', file: reader.sources.envFile, line: null };
    const names = Object.keys(family);
    const meant = nearest(name, names);
    const what = `${quote(name)}${origin ? '' : ' (the default)'}`;
    const message = planned.includes(name)
      ? `${what} is not in this version`
      : `${what} is not one of ${names.join(', ')}`;
    const hint = meant === null ? `write e.g. ${written(key, names[0] ?? '...', place)}` : `did you mean ${meant}?`;
    wrong(reader, place, key, message, hint);
  }
  const none: OptionValues = {};
  return { name, values: none };
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
