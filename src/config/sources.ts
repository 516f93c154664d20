/**
 * Reads all sources and lays them over one another. Later wins: hybrid-cloud.yaml, the env file, the process
 * environment, flags; an empty value counts as not given, as with the specification's own `${NAME:-default}`.
 */
import { join, resolve } from 'node:path';
import { parseEnvFile } from './envfile.ts';
import { type Files, readText } from './files.ts';
import { ENV_FILE, findFolder, YAML_FILE } from './folder.ts';
import { type Given, type KnownKeys, type Origin, written } from './known.ts';
import { nearest } from './names.ts';
import type { GivenPart, GivenPool } from './poolfile.ts';
import type { Findings } from './problems.ts';
import { parseYamlFile } from './yamlfile.ts';

const DEFAULT_DIR = '/etc/hybrid-cloud';

export interface Sources {
  readonly configDir: string;
  readonly envFile: string;
  /** What counts, by key. */
  readonly given: ReadonlyMap<string, Given>;
  /** What stands under `pools:`; empty on a site that has one pool and does not name it. */
  readonly pools: readonly GivenPool[];
  readonly files: readonly string[];
  readonly secrets: readonly string[];
  /** Could this key have been meant by a line that cannot be read? Then nobody is told that it is not set. */
  mayBeMeant(key: string): boolean;
}

export interface SourceInput {
  /** By key, `POLL_INTERVAL` or as the flag is called, `poll-interval`. */
  readonly flags: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export function readSources(input: SourceInput, files: Files, known: KnownKeys, findings: Findings): Sources {
  const environment = fromEnvironment(input.env, known);
  const flags = fromFlags(input.flags, known, findings);
  const asked = [...environment, ...flags].findLast((g) => g.key === 'CONFIG_DIR' && g.text.trim() !== '');
  const configDir = findFolder(resolve(asked?.text.trim() ?? DEFAULT_DIR), files);
  const envFile = join(configDir, ENV_FILE);
  const read: string[] = [];
  const take = (path: string): string | null => {
    const got = readText(files, path);
    if (got.is === 'unreadable') findings.problems.push({ file: path, line: null, message: got.why, hint: '' });
    if (got.is === 'text') read.push(path);
    return got.is === 'text' ? got.text : null;
  };

  const yamlText = take(join(configDir, YAML_FILE));
  const envText = take(envFile);
  const yaml = parseYamlFile(join(configDir, YAML_FILE), yamlText ?? '', known, findings);
  const env = parseEnvFile(envFile, envText ?? '', known, findings);
  if (read.length === 0) {
    const message = `holds neither ${ENV_FILE} nor ${YAML_FILE}`;
    findings.notices.push({ file: configDir, line: null, message, hint: 'copy docker.env.example there as env' });
  }

  const all = [...yaml.given, ...env.given, ...environment, ...flags].map((g) => ({ ...g, text: g.text.trim() }));
  const pools = yaml.pools.map((pool) => ({ ...trimmed(pool), clouds: pool.clouds.map(trimmed) }));
  const given = new Map<string, Given>();
  const secrets = new Set<string>();
  const exposed = new Set<string>();
  const hide = (one: Given) => {
    if (!known.isSecret(one.key)) return;
    secrets.add(one.text);
    if (one.origin.line !== null) exposed.add(one.origin.file);
  };
  for (const one of all) {
    if (one.text === '') continue;
    if (one.key === 'CONFIG_DIR' && one.origin.line !== null) {
      const message = 'has no effect in a file of the folder it names';
      findings.notices.push({
        ...place(one.origin),
        key: one.key,
        message,
        hint: 'use the environment or --config-dir',
      });
      continue;
    }
    given.set(one.key, one);
    hide(one);
  }
  for (const pool of pools) for (const part of [pool, ...pool.clouds]) part.given.forEach(hide);
  for (const file of exposed) noticeOpenFile(file, files, findings);
  const unreadable = yaml.broken === null || findings.problems.some((p) => p.file === envFile && p.key === undefined);
  const broken = new Set([...(yaml.broken ?? []), ...env.broken]);
  return {
    configDir,
    envFile,
    given,
    pools,
    files: read,
    secrets: [...secrets],
    mayBeMeant: (k) => unreadable || broken.has(k),
  };
}

/** An empty value counts as not given, also in a pool. */
function trimmed<T extends GivenPart>(part: T): T {
  const given = part.given.map((one) => ({ ...one, text: one.text.trim() })).filter((one) => one.text !== '');
  return { ...part, given };
}

export function place(origin: Origin): { file: string; line: number | null } {
  return { file: origin.file, line: origin.line };
}

/** The environment is full of other programs' variables: only our keys are looked at. */
function fromEnvironment(env: SourceInput['env'], known: KnownKeys): Given[] {
  const origin: Origin = { kind: 'environment', file: 'environment', line: null };
  return Object.entries(env).flatMap(([key, text]) =>
    text !== undefined && known.has(key) ? [{ key, text, origin }] : [],
  );
}

function fromFlags(flags: SourceInput['flags'], known: KnownKeys, findings: Findings): Given[] {
  const origin: Origin = { kind: 'command line', file: 'command line', line: null };
  const problem = (message: string, hint: string) =>
    findings.problems.push({ file: origin.file, line: null, message, hint });
  const given: Given[] = [];
  for (const [flag, text] of Object.entries(flags)) {
    const key = flag.toUpperCase().replaceAll('-', '_');
    const meant = nearest(key, known.all);
    if (!known.has(key)) problem(`${flag} is not known${meant === null ? '' : `; did you mean ${meant}?`}`, '');
    else if (known.isSecret(key)) {
      // The process list shows it to every user of the machine. Kept for the hide list all the same.
      problem(
        `${key} may not be given here: everybody on this machine can read it`,
        `write ${written(key, '...', FILE)} in the env file`,
      );
      given.push({ key, text, origin });
    } else given.push({ key, text, origin });
  }
  return given;
}

const FILE: Origin = { kind: 'env-file', file: ENV_FILE, line: null };

function noticeOpenFile(file: string, files: Files, findings: Findings): void {
  const mode = files.fileMode?.(file) ?? null;
  if (mode === null || (mode & 0o004) === 0) return;
  const message = 'holds a secret and everybody on this machine may read it';
  findings.notices.push({ file, line: null, message, hint: `chmod 600 ${file}` });
}
