/**
 * `./hybrid-cloud test --months N`: N simulated months of a busy site; memory and database after each. Ends with 1 when
 * the heap grows by a tenth or more after the first month, or the database beyond its limits.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Month, months } from '../../src/sim/months.ts';
import { openDatabase } from '../../src/store/open.ts';
import type { TestParts } from '../run-all.ts';

/** ms */
const LIMIT = 24 * 3600_000;
const MIB = 1024 * 1024;
/** Rows that the store keeps, and the few it may have above that before it drops them. */
const [JOURNAL, EVENTS] = [20_000 + 1000, 10_000 + 1000];

/** @returns the exit code */
export async function longMonths(count: number, seed: number, parts: TestParts): Promise<number> {
  const all: Month[] = [];
  const program = [parts.node, '--expose-gc', '--disable-warning=ExperimentalWarning', import.meta.filename];
  const { code, stderr } = await parts.run([...program, String(count), String(seed)], {
    ...{ timeout: LIMIT, cwd: parts.root, signal: parts.signal },
    onLine(line) {
      const one = JSON.parse(line) as Month;
      all.push(one);
      parts.write(
        `month ${one.month}: ${one.jobs} jobs, ${one.machines} machines, heap ${(one.heap / MIB).toFixed(1)} MiB, ` +
          `database ${(one.database / MIB).toFixed(1)} MiB (journal ${one.journal}, events ${one.events})\n`,
      );
    },
  });
  if (code !== 0) parts.write(`ended with ${code}: ${stderr.slice(-2000)}\n`);
  const [first, last] = [all[0], all.at(-1)];
  if (first === undefined || last === undefined || code !== 0) return 1;
  const growth = (Math.max(...all.map(({ heap }) => heap)) / first.heap - 1) * 100;
  const bounded = all.every(({ journal, events }) => journal <= JOURNAL && events <= EVENTS);
  parts.write(
    `\n${all.length} months (seed ${seed}): the heap was at most ${growth.toFixed(1)} % above the first month's, the database is ${bounded ? 'bounded' : 'NOT bounded'}\n`,
  );
  return growth < 10 && bounded ? 0 : 1;
}

if (import.meta.main) {
  const [count = 1, seed = 1] = process.argv.slice(2).map(Number);
  const folder = mkdtempSync(join(tmpdir(), 'hc-months-'));
  try {
    const { db } = openDatabase(join(folder, 'state.db'), 'now');
    // What a power cut would lose is not the question here.
    db.exec('PRAGMA synchronous=OFF');
    const { gc } = globalThis;
    const onMonth = (month: Month) => void process.stdout.write(`${JSON.stringify(month)}\n`);
    await months({ database: db, months: count, seed, onMonth, ...(gc ? { collect: () => void gc() } : {}) });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
