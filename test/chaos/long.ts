/**
 * `./hybrid-cloud test --chaos N [--seed S]`: N histories of chaos, on all cores, with progress. Ends with 1 when any
 * seed ended badly, and names it: it belongs into src/sim/chaos/seeds.ts with what it found.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { TestParts } from '../run-all.ts';
import type { SliceLine } from './slice.ts';

/** ms; a history takes about a tenth of a second. */
const LIMIT = 24 * 3600_000;
/** Progress after so many histories. */
const EVERY = 250;

/** @returns the exit code */
export async function longChaos(count: number, first: number, parts: TestParts): Promise<number> {
  const workers = Math.min(availableParallelism(), count);
  const began = parts.clock.monotonic();
  let done = 0;
  let machines = 0;
  let slowest = { seed: 0, peaceAfter: 0 };
  const bad: SliceLine[] = [];
  const take = (text: string) => {
    const line = JSON.parse(text) as SliceLine;
    done++;
    machines += line.made;
    if (line.peaceAfter > slowest.peaceAfter) slowest = line;
    if (line.violations.length > 0) {
      bad.push(line);
      parts.write(`seed ${line.seed}: ${line.violations.join('; ')}\n`);
    }
    if (done % EVERY === 0) {
      const took = (parts.clock.monotonic() - began) / 1000;
      parts.write(`${done} of ${count} histories, ${bad.length} bad, ${took.toFixed(0)} s\n`);
    }
  };
  const slices = Array.from({ length: workers }, (_, i) => {
    const mine = Math.ceil((count - i) / workers);
    const command = [parts.node, '--disable-warning=ExperimentalWarning', join(parts.root, 'test/chaos/slice.ts')];
    const words = [first + i, mine, workers].map(String);
    return parts.run([...command, ...words], { timeout: LIMIT, cwd: parts.root, signal: parts.signal, onLine: take });
  });
  const ended = await Promise.all(slices);
  for (const { code, stderr } of ended)
    if (code !== 0) parts.write(`a part ended with ${code}: ${stderr.slice(-2000)}\n`);
  const minutes = (slowest.peaceAfter / 60_000).toFixed(0);
  parts.write(
    `\n${done} histories (seeds ${first} to ${first + count - 1}), ${machines} machines made: ${bad.length} ended badly. ` +
      `All at rest ${minutes} min after the last trouble at the latest (seed ${slowest.seed})\n`,
  );
  for (const { seed, violations } of bad) parts.write(`  seed ${seed}: ${violations[0]}\n`);
  return bad.length > 0 || done < count || ended.some(({ code }) => code !== 0) ? 1 : 0;
}
