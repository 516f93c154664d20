/**
 * `./hybrid-cloud test --fuzz N`: at least N damaged or invented inputs for everything that reads what others wrote:
 * every batch adapter, both clouds, the configuration and the API. Each must be answered or refused in our own words,
 * within a second of work, and no node may look idle that was not.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestParts } from '../run-all.ts';

/** ms for one file; hours for millions. */
const LIMIT = 24 * 3600_000;

interface Part {
  readonly file: string;
  readonly tried: number;
  readonly code: number | null;
  readonly output: string;
}

/** @returns the exit code */
export async function longFuzz(count: number, seed: number, parts: TestParts): Promise<number> {
  const files = readdirSync(join(parts.root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => `src/${file}`)
    .filter((file) => readFileSync(join(parts.root, file), 'utf8').includes('support/fuzz.ts'))
    .sort();
  const folder = await mkdtemp(join(tmpdir(), 'hc-fuzz-'));
  const began = parts.clock.monotonic();
  try {
    // Once as the suite does it, to see how many inputs that is; then as often as it takes.
    const once = await all(files, 1, seed, parts, folder);
    const usual = sum(once);
    const failed = once.filter(({ code }) => code !== 0);
    parts.write(`${usual} inputs in ${files.length} files as in the suite\n`);
    const times = Math.ceil(Math.max(0, count - usual) / Math.max(1, usual));
    const more = times === 0 || failed.length > 0 ? [] : await all(files, times, seed + 1, parts, folder);
    const bad = [...failed, ...more.filter(({ code }) => code !== 0)];
    for (const { file, output } of bad) parts.write(`\n${file}:\n${output.slice(-6000)}\n`);
    const took = ((parts.clock.monotonic() - began) / 1000).toFixed(0);
    const total = usual + sum(more);
    parts.write(`\n${total} inputs (seed ${seed}) in ${took} s: ${bad.length} of ${files.length} files failed\n`);
    return bad.length > 0 || total < count ? 1 : 0;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function all(
  files: readonly string[],
  times: number,
  seed: number,
  parts: TestParts,
  folder: string,
): Promise<Part[]> {
  const done: Part[] = [];
  const waiting = [...files];
  const worker = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const count = join(folder, `${file.replaceAll('/', '+')}-${times}-${seed}`);
      const { NODE_TEST_CONTEXT: _, ...env } = parts.env;
      const { code, stdout, stderr } = await parts.run(
        [parts.node, '--disable-warning=ExperimentalWarning', '--test-reporter=spec', join(parts.root, file)],
        {
          timeout: LIMIT,
          cwd: parts.root,
          signal: parts.signal,
          env: { ...env, FUZZ_RUNS: String(times), FUZZ_SEED: String(seed), FUZZ_COUNT: count },
        },
      );
      const tried = existsSync(count) ? Number(readFileSync(count, 'utf8').trim()) : 0;
      done.push({ file, tried, code, output: `${stdout}\n${stderr}` });
      if (times > 1) parts.write(`${code === 0 ? 'ok  ' : 'FAIL'}  ${file}  ${tried} inputs\n`);
    }
  };
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, worker));
  return done;
}

function sum(done: readonly Part[]): number {
  return done.reduce((total, { tried }) => total + tried, 0);
}
