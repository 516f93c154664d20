/**
 * Fuzzing: as `fc.assert`, for code that reads what others wrote. Every input counts, none may take long, and one
 * variable makes any of them a long run.
 *
 * FUZZ_RUNS      inputs of one property, times what the suite takes: `FUZZ_RUNS=10` tries ten times as many
 * FUZZ_SEED      the first seed; else a new one each time
 * FUZZ_COUNT     a file to which the number of inputs tried is added
 */
import { appendFileSync } from 'node:fs';
import fc, { type IAsyncProperty, type IProperty, type Parameters } from 'fast-check';

const TIMES = Number(process.env.FUZZ_RUNS ?? 1);
/** An input may cost so much work, ms of this process's own time: the machine may be busy with others. */
const SLOW = 1000;

let tried = 0;
let properties = 0;

/** How many inputs a property tries that tries `least` of them in the suite. */
export function fuzzRuns(least: number): number {
  return Math.ceil(least * TIMES);
}

/** `numRuns` is what the suite takes. @throws with the smallest input that fails, or that takes longer than a second */
export function fuzz<T>(property: IAsyncProperty<T>, options?: Parameters<T>): Promise<void>;
export function fuzz<T>(property: IProperty<T>, options?: Parameters<T>): void;
export function fuzz<T>(property: IAsyncProperty<T> | IProperty<T>, options: Parameters<T> = {}): Promise<void> | void {
  const run = property.run.bind(property);
  const timed = (value: T) => {
    tried++;
    const began = process.cpuUsage();
    const after = (failure: unknown) => {
      const { user, system } = process.cpuUsage(began);
      const ms = (user + system) / 1000;
      if (failure === null && ms > SLOW) return { error: new Error(`this input took ${Math.round(ms)} ms`) };
      return failure;
    };
    const result: unknown = run(value);
    return result instanceof Promise ? result.then(after) : after(result);
  };
  Object.defineProperty(property, 'run', { value: timed });
  const { FUZZ_SEED: seed } = process.env;
  properties++;
  const numRuns = fuzzRuns(options.numRuns ?? 100);
  const given = seed === undefined ? {} : { seed: Number(seed) + properties };
  return fc.assert(property as IProperty<T>, { ...options, ...given, numRuns });
}

process.on('exit', () => {
  const { FUZZ_COUNT: file } = process.env;
  if (file !== undefined && tried > 0) appendFileSync(file, `${tried}\n`);
});
