/**
 * Who may import whom, and what may be used where. A rule that a machine does not hold is forgotten by the third
 * change; each rule here is also shown a made-up source that breaks it.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, posix } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { blank, importsOf } from './support/source.ts';

/** `path` is relative to src/. */
interface File {
  readonly path: string;
  readonly text: string;
}

/** @returns what is wrong with the file, one line each. */
type Rule = (file: File) => string[];

const ports = ['batch/batch.ts', 'cloud/cloud.ts', 'bootstrap/bootstrap.ts', 'store/store.ts'];
const fakes = ['batch/fake.ts', 'cloud/fake.ts', 'bootstrap/fake.ts'];
const registries = ['batch/registry.ts', 'cloud/registry.ts', 'bootstrap/registry.ts'];

/** Folder -> what of ours it may import besides itself. A name ending in / is a whole folder; `type:` allows types only. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  lib: [],
  planner: ['domain/'],
  batch: ['domain/', 'lib/'],
  cloud: ['domain/', 'lib/'],
  bootstrap: ['domain/', 'lib/'],
  store: ['domain/', 'lib/'],
  controller: ['domain/', 'lib/', 'planner/', ...ports],
  sim: ['domain/', 'lib/', 'planner/', 'controller/', 'store/', ...ports, ...fakes],
  config: ['domain/', 'lib/', ...registries],
  service: ['domain/', 'lib/', 'store/store.ts', 'controller/'],
  cli: ['domain/', 'lib/', 'config/', 'service/', 'sim/', 'type:controller/view.ts'],
};

/** They put the parts together, so they may know all of them. */
const TOP = ['app.ts', 'main.ts', 'takeover.ts'];

/** Libraries and modules of Node that have one home. */
const HOMES: readonly { readonly modules: RegExp; readonly home: RegExp; readonly says: string }[] = [
  { modules: /^(execa|(node:)?child_process)$/, home: /^lib\/run\.ts$/, says: 'processes start in lib/run.ts' },
  { modules: /^(node:)?sqlite$/, home: /^store\//, says: 'SQL stays in store/' },
  { modules: /^(node:)?(timers|perf_hooks)(\/|$)/, home: /^lib\/clock\.ts$/, says: 'time comes from lib/clock.ts' },
  { modules: /^(node:)?process$/, home: /^main\.ts$/, says: 'the environment is read in main.ts' },
  { modules: /^croner$/, home: /^lib\/week\.ts$/, says: 'times of the week are in lib/week.ts' },
  { modules: /^pino$/, home: /^lib\/log\.ts$/, says: 'there is one logger, lib/log.ts' },
];

const isTest = (path: string) => /\.(test|contract)\.ts$/.test(path);
const layerOf = (path: string) => path.split('/')[0] ?? '';

const direction: Rule = ({ path, text }) => {
  if (isTest(path) || TOP.includes(path)) return [];
  const layer = layerOf(path);
  const allowed = MAY_IMPORT[layer];
  if (allowed === undefined) return [`${layer} is not in the table of test/architecture.test.ts`];
  const wrong: string[] = [];
  for (const { from, typeOnly } of importsOf(text)) {
    if (from === '?') wrong.push('imports a computed name, which nobody can check');
    if (!from.startsWith('.')) {
      if (layer === 'domain' || layer === 'planner') wrong.push(`${layer} must not import ${from}`);
      continue;
    }
    const target = posix.join(posix.dirname(path), from);
    if (isTest(target)) wrong.push(`imports the test file ${target}`);
    const fits = (one: string) =>
      one.startsWith('type:')
        ? typeOnly && target === one.slice(5)
        : one.endsWith('/')
          ? target.startsWith(one)
          : target === one;
    if (layerOf(target) !== layer && !allowed.some(fits)) wrong.push(`${layer} must not import ${target}`);
  }
  return wrong;
};

const homes: Rule = ({ path, text }) =>
  isTest(path)
    ? []
    : importsOf(text).flatMap(({ from }) =>
        HOMES.filter(({ modules, home }) => modules.test(from) && !home.test(path)).map(
          ({ says }) => `${from}: ${says}`,
        ),
      );

/** A rule that looks for words in the code, outside comments and strings. */
function words(pattern: RegExp, home: RegExp, says: string): Rule {
  return ({ path, text }) => {
    if (isTest(path) || home.test(path)) return [];
    return [...blank(text, 'comments and strings').matchAll(pattern)].map(([found]) => `${found.trim()}: ${says}`);
  };
}

const NOWHERE = /^$/;
const environment = words(
  /\bprocess\s*\.\s*env\b|\benv\b[^={}]*\}\s*=\s*process\b/g,
  /^main\.ts$/,
  'the environment is read in main.ts',
);
const time = words(
  /\bDate\.now\b|\bnew Date(?:\(\s*\)|(?!\s*\())\b|\bnew Date\(\s*\)|(?:globalThis\.|(?<![.\w]))set(?:Timeout|Interval)\b|\bperformance\.now\b|\bTemporal\.Now\b|\bprocess\.(?:hrtime|uptime)\b/g,
  /^lib\/clock\.ts$/,
  'time comes from an injected Clock',
);
const defaults = words(/\bexport\s+default\b|\bas\s+default\b/g, NOWHERE, 'exports have names');
const enums = words(/\benum\s+[A-Za-z_$][\w$]*\s*\{/g, NOWHERE, 'Node cannot strip an enum; use a union of strings');
const purity: Rule = (file) =>
  layerOf(file.path) === 'planner'
    ? words(/\b(?:async|await|Promise)\b/g, NOWHERE, 'the planner never waits')(file)
    : [];

const names: Rule = ({ path }) =>
  /^(manager|service|helper|util|data)s?\./.test(basename(path)) ? ['the name says nothing: name the idea'] : [];

const RULES = { direction, homes, environment, time, defaults, enums, purity, names } satisfies Record<string, Rule>;
type RuleName = keyof typeof RULES;

describe('every file under src/ keeps the rule', () => {
  const src = fileURLToPath(new URL('../src', import.meta.url));
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => ({ path, text: readFileSync(join(src, path), 'utf8') }));
  for (const [name, rule] of Object.entries(RULES)) {
    test(name, () => {
      assert.ok(files.length > 10, 'the sources were found');
      assert.deepEqual(
        files.flatMap((file) => rule(file).map((problem) => `src/${file.path}: ${problem}`)),
        [],
      );
    });
  }
});

describe('each rule catches what it is for, and nothing else', () => {
  const cases: [RuleName, string, string, 'caught' | 'fine'][] = [
    ['direction', 'domain/a.ts', "import { x } from './b.ts';", 'fine'],
    ['direction', 'domain/a.ts', "import type { x } from '../lib/clock.ts';", 'caught'],
    ['direction', 'domain/a.ts', "import { z } from 'zod';", 'caught'],
    ['direction', 'lib/a.ts', "export * from '../domain/job.ts';", 'caught'],
    ['direction', 'lib/a.ts', "import { z } from 'zod';", 'fine'],
    ['direction', 'planner/a.ts', "import { x } from '../domain/job.ts';", 'fine'],
    ['direction', 'planner/a.ts', "import { x } from '../lib/clock.ts';", 'caught'],
    ['direction', 'planner/a.ts', "import { join } from 'node:path';", 'caught'],
    [
      'direction',
      'batch/slurm/a.ts',
      "import { x } from '../batch.ts';\nimport { y } from '../../lib/run.ts';",
      'fine',
    ],
    ['direction', 'batch/slurm/a.ts', "import { x } from '../../cloud/cloud.ts';", 'caught'],
    ['direction', 'batch/fake.ts', "import { x } from '../store/store.ts';", 'caught'],
    ['direction', 'store/a.ts', "import { x } from '../domain/host.ts';", 'fine'],
    ['direction', 'store/a.ts', "import { x } from '../controller/view.ts';", 'caught'],
    ['direction', 'controller/a.ts', "import { x } from '../batch/batch.ts';", 'fine'],
    ['direction', 'controller/a.ts', "import { x } from '../batch/slurm/slurm.ts';", 'caught'],
    ['direction', 'controller/a.ts', "import { x } from '../store/sqlite.ts';", 'caught'],
    ['direction', 'config/a.ts', "import { x } from '../cloud/registry.ts';", 'fine'],
    ['direction', 'config/a.ts', "import { x } from '../cloud/cloud.ts';", 'caught'],
    ['direction', 'service/a.ts', "import { x } from '../controller/control.ts';", 'fine'],
    ['direction', 'service/a.ts', "import { x } from '../planner/plan.ts';", 'caught'],
    ['direction', 'cli/commands/a.ts', "import type { x } from '../../controller/view.ts';", 'fine'],
    ['direction', 'cli/commands/a.ts', "import { x } from '../../controller/view.ts';", 'caught'],
    ['direction', 'cli/a.ts', "const x = await import('../store/sqlite.ts');", 'caught'],
    ['direction', 'cli/a.ts', 'const x = await import(name);', 'caught'],
    ['direction', 'cli/a.ts', "import '../app.ts';", 'caught'],
    ['direction', 'sim/a.ts', "import { x } from '../cloud/fake.ts';", 'fine'],
    ['direction', 'sim/a.ts', "import { x } from '../cloud/command/command.ts';", 'caught'],
    ['direction', 'app.ts', "import { x } from './store/sqlite.ts';", 'fine'],
    ['direction', 'extra/a.ts', '', 'caught'],
    ['direction', 'domain/a.test.ts', "import { x } from '../lib/clock.ts';", 'fine'],
    ['direction', 'domain/a.ts', "// import { x } from '../lib/clock.ts';", 'fine'],
    ['direction', 'domain/a.ts', 'const text = "import { x } from \'../lib/clock.ts\'";', 'fine'],
    ['direction', 'domain/a.ts', "import {\n  a,\n  b,\n} from '../lib/clock.ts';", 'caught'],
    ['direction', 'cloud/a.ts', "import { suite } from './cloud.contract.ts';", 'caught'],
    ['homes', 'lib/run.ts', "import { execa } from 'execa';", 'fine'],
    ['homes', 'batch/a.ts', "import { execa } from 'execa';", 'caught'],
    ['homes', 'batch/a.ts', "import { spawn } from 'node:child_process';", 'caught'],
    ['homes', 'store/sqlite.ts', "import { DatabaseSync } from 'node:sqlite';", 'fine'],
    ['homes', 'controller/a.ts', "const { DatabaseSync } = await import('node:sqlite');", 'caught'],
    ['homes', 'controller/a.ts', "import { setTimeout } from 'node:timers/promises';", 'caught'],
    ['homes', 'controller/a.ts', "import { env } from 'node:process';", 'caught'],
    ['homes', 'service/a.ts', "import { pino } from 'pino';", 'caught'],
    ['homes', 'batch/a.test.ts', "import { spawn } from 'node:child_process';", 'fine'],
    ['environment', 'main.ts', 'const home = process.env.HOME;', 'fine'],
    ['environment', 'app.ts', 'const home = process.env.HOME;', 'caught'],
    ['environment', 'app.ts', 'const { env } = process;', 'caught'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the source of a template string
    ['environment', 'app.ts', 'const a = `x ${process.env.HOME} y`;', 'caught'],
    ['environment', 'app.ts', "// process.env is read in main.ts\nconst a = 'process.env';", 'fine'],
    ['time', 'lib/clock.ts', 'Date.now()', 'fine'],
    ['time', 'controller/a.ts', 'const at = Date.now();', 'caught'],
    ['time', 'controller/a.ts', 'const at = new Date();', 'caught'],
    ['time', 'controller/a.ts', 'const at = new Date;', 'caught'],
    ['time', 'controller/a.ts', 'const at = new Date(clock.now());', 'fine'],
    ['time', 'controller/a.ts', 'setTimeout(look, 5)', 'caught'],
    ['time', 'controller/a.ts', 'globalThis.setInterval(look, 5)', 'caught'],
    ['time', 'controller/a.ts', 'const t = performance.now();', 'caught'],
    ['time', 'controller/a.ts', 'AbortSignal.timeout(5); request.setTimeout(5);', 'fine'],
    ['time', 'controller/a.ts', "const pattern = /['`]/; const at = Date.now(); const b = '`';", 'caught'],
    ['time', 'controller/a.ts', "const half = a / b; const text = 'Date.now()'; const c = d / e;", 'fine'],
    ['defaults', 'lib/a.ts', 'export default function a() {}', 'caught'],
    ['defaults', 'lib/a.ts', 'export { a as default };', 'caught'],
    ['defaults', 'lib/a.ts', 'export function byDefault() {}', 'fine'],
    ['enums', 'lib/a.ts', 'export enum Color { Red }', 'caught'],
    ['enums', 'lib/a.ts', 'const enum Color { Red }', 'caught'],
    ['enums', 'lib/a.ts', "const a = z.enum(['a']); // no enum A {", 'fine'],
    ['purity', 'planner/a.ts', 'export async function plan() {}', 'caught'],
    ['purity', 'controller/a.ts', 'export async function look() {}', 'fine'],
    ['names', 'lib/util.ts', '', 'caught'],
    ['names', 'service/services.ts', '', 'caught'],
    ['names', 'controller/manager.test.ts', '', 'caught'],
    ['names', 'bootstrap/userdata.ts', '', 'fine'],
    ['names', 'service/server.ts', '', 'fine'],
  ];
  for (const [rule, path, text, expected] of cases) {
    test(`${rule} on ${path}: ${text.replace(/\s+/g, ' ') || 'the name alone'} is ${expected}`, () => {
      const problems = RULES[rule]({ path, text });
      assert.equal(problems.length > 0 ? 'caught' : 'fine', expected, problems.join('\n'));
    });
  }
});
