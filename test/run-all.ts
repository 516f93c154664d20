/**
 * The test runner behind `./hybrid-cloud test [FILTER...] [--unit]`: lint, types, then every test file in a process of
 * its own, two files at a time. End-to-end tests (test/) mostly wait for nodes, and each has its own cluster: three at a
 * time, those that say they may take long first, so that none of them is the last one alone. A FILTER is a part of a
 * file's path, or `lint` or `types`. The last line is always `N passed, N failed, N skipped`.
 *
 * Long forms instead of the suite: `--chaos N` histories, `--fuzz N` inputs, `--races N` races on a real Slurm, `--months N`
 * of a busy site; `--seed N` is the first seed.
 *
 * A file that needs more than five minutes says so in its first lines: `// time limit: 900 s`.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Clock, systemClock } from '../src/lib/clock.ts';
import { type Run, run } from '../src/lib/run.ts';
import { longForm } from './long.ts';
import { type Outcome, outcomeOfCheck, outcomeOfFile, seconds, show, summarise } from './support/outcome.ts';
import type { ReportLine } from './support/report-lines.ts';

export interface TestParts {
  /** The project's folder. */
  readonly root: string;
  /** The Node that runs the tests. */
  readonly node: string;
  readonly run: Run;
  readonly clock: Clock;
  readonly write: (text: string) => void;
  /** Environment of the tests. `CI=true` in it makes a skip for want of something a failure. */
  readonly env: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

interface Task {
  readonly name: string;
  readonly kind: 'unit' | 'whole';
  /** ms */
  readonly limit: number;
  run(): Promise<Outcome>;
}

const FILE_LIMIT = 300_000;
const SILENCE = 30_000;
const REPORTER = new URL('./support/report-lines.ts', import.meta.url).href;

/** @returns the exit code: 0 when everything passed; 1 when something failed, was missing under CI, or nothing ran. */
export async function runTests(args: readonly string[], parts: TestParts): Promise<number> {
  const long = await longForm(args, parts);
  if (long !== null) return long;
  const filters = args.filter((arg) => arg !== '--unit');
  const wrong = filters.find((filter) => filter.startsWith('-'));
  if (wrong !== undefined) {
    parts.write(
      `unknown option ${wrong}; usage: hybrid-cloud test [FILTER...] [--unit] | --chaos N | --fuzz N | --races N | --months N [--seed N]\n`,
    );
    return 2;
  }
  const folder = await mkdtemp(join(tmpdir(), 'hc-test-'));
  try {
    const tasks = allTasks(parts, folder)
      .filter((task) => task.kind === 'unit' || !args.includes('--unit'))
      .filter((task) => filters.length === 0 || filters.some((filter) => task.name.includes(filter)));
    const outcomes = [
      ...(await inPool(2, ofKind(tasks, 'unit'), parts)),
      ...(await inPool(3, longestFirst(ofKind(tasks, 'whole')), parts)),
    ];
    return finish(outcomes, parts);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function finish(outcomes: readonly Outcome[], { write, env }: TestParts): number {
  const { text, passed, failed, skipped, lacking } = summarise(outcomes);
  const nothing = passed + failed === 0;
  const tooLittle = env.CI === 'true' && lacking > 0;
  if (text !== '') write(`${text}\n`);
  if (nothing) write('\nno test ran\n');
  if (tooLittle) write('\nCI=true: what this machine could not run counts as a failure\n');
  write(`\n${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  return failed > 0 || nothing || tooLittle ? 1 : 0;
}

function ofKind(tasks: readonly Task[], kind: Task['kind']): Task[] {
  return tasks.filter((task) => task.kind === kind);
}

function longestFirst(tasks: readonly Task[]): Task[] {
  return tasks.toSorted((a, b) => b.limit - a.limit);
}

/** Runs the tasks, `size` at a time; shows each as it ends, and what is running when nothing ended for a while. */
async function inPool(size: number, tasks: readonly Task[], { write, clock }: TestParts): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const running = new Map<string, number>();
  const waiting = [...tasks];
  async function worker(): Promise<void> {
    for (let task = waiting.shift(); task; task = waiting.shift()) {
      running.set(task.name, clock.monotonic());
      const outcome = await task.run();
      running.delete(task.name);
      outcomes.push(outcome);
      write(show(outcome));
    }
  }
  const over = new AbortController();
  async function breakSilence(): Promise<void> {
    for (let seen = 0; ; seen = outcomes.length) {
      await clock.sleep(SILENCE, over.signal);
      if (over.signal.aborted) return;
      if (outcomes.length !== seen) continue;
      const names = [...running].map(([name, since]) => `${name} ${seconds(clock.monotonic() - since)}`);
      write(`...   running: ${names.join(', ')}\n`);
    }
  }
  const silence = breakSilence();
  await Promise.all(Array.from({ length: size }, worker));
  over.abort();
  await silence;
  return outcomes;
}

function allTasks(parts: TestParts, folder: string): Task[] {
  return [
    checkTask('lint', ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '--colors=off'], parts),
    checkTask('types', ['node_modules/typescript/bin/tsc', '--noEmit', '--pretty', 'false'], parts),
    ...testFiles(parts.root, 'src').map((file) => fileTask(file, 'unit', parts, folder)),
    ...testFiles(parts.root, 'test').map((file) => fileTask(file, 'whole', parts, folder)),
  ];
}

function testFiles(root: string, top: string): string[] {
  if (!existsSync(join(root, top))) return [];
  return readdirSync(join(root, top), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => `${top}/${file}`)
    .sort();
}

function checkTask(name: string, [program = '', ...args]: readonly string[], parts: TestParts): Task {
  const { root, node, env, signal } = parts;
  const command = [node, join(root, program), ...args];
  return {
    name,
    kind: 'unit',
    limit: FILE_LIMIT,
    run: async () => outcomeOfCheck(name, await parts.run(command, { timeout: FILE_LIMIT, cwd: root, env, signal })),
  };
}

function fileTask(name: string, kind: Task['kind'], parts: TestParts, folder: string): Task {
  const { root, node, signal } = parts;
  const report = join(folder, `${name.replaceAll('/', '+')}.lines`);
  const command = [
    node,
    '--disable-warning=ExperimentalWarning',
    `--test-reporter=${REPORTER}`,
    `--test-reporter-destination=${report}`,
    join(root, name),
  ];
  // A test may run this very runner: Node must not take the inner tests for subtests of the outer one.
  const { NODE_TEST_CONTEXT: _, ...env } = parts.env;
  const limit = limitOf(join(root, name));
  return {
    name,
    kind,
    limit,
    async run() {
      const result = await parts.run(command, { timeout: limit, cwd: root, env, signal });
      return outcomeOfFile(name, result, readReport(report));
    },
  };
}

function limitOf(file: string): number {
  const [, said] = /^\/\/ time limit: (\d+) s$/m.exec(readFileSync(file, 'utf8').slice(0, 2000)) ?? [];
  return said === undefined ? FILE_LIMIT : Number(said) * 1000;
}

/** The last line may be cut off when the test was killed. */
function readReport(file: string): ReportLine[] {
  if (!existsSync(file)) return [];
  const whole = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return whole.map((line) => JSON.parse(line) as ReportLine);
}

if (import.meta.main) {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  const env = Object.entries(process.env).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, value] as const],
  );
  process.exitCode = await runTests(process.argv.slice(2), {
    root: fileURLToPath(new URL('..', import.meta.url)),
    node: process.execPath,
    run,
    clock: systemClock,
    write: (text) => process.stdout.write(text),
    env: Object.fromEntries(env),
    signal: stop.signal,
  });
}
