/**
 * A part of a long run of chaos, in a process of its own: `slice.ts FIRST COUNT STEP` runs the seeds FIRST, FIRST+STEP,
 * ... and prints one line of JSON for each.
 */
import { chaos } from '../../src/sim/chaos/chaos.ts';

/** What became of one seed. */
export interface SliceLine {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly made: number;
  /** ms from the end of the troubles until all was at rest. */
  readonly peaceAfter: number;
}

const [first = 1, count = 1, step = 1] = process.argv.slice(2).map(Number);
for (let i = 0; i < count; i++) {
  const seed = first + i * step;
  let line: SliceLine;
  try {
    const { violations, made, peaceAfter } = await chaos(seed);
    line = { seed, violations, made, peaceAfter };
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    line = { seed, violations: [`the service itself failed: ${text}`], made: 0, peaceAfter: 0 };
  }
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
