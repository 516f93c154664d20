/**
 * What the charts draw: averages over equal stretches of time. Nobody knows beforehand how long a replay takes, so the
 * stretches begin short and are joined in pairs whenever there are too many.
 */
export const CURVES = ['boot', 'work', 'idle', 'jobs', 'hosts'] as const;
export type Curve = (typeof CURVES)[number];
export type Levels = Readonly<Record<Curve, number>>;

export interface Series {
  /** From `from` to `to` (epoch ms) these were the numbers. Must be told in the order of time. */
  add(from: number, to: number, levels: Levels): void;
  /** Begin of the first stretch, epoch ms. */
  readonly start: number;
  /** Length of one stretch, ms. */
  readonly width: number;
  /** Averages per stretch. */
  averages(curve: Curve): readonly number[];
}

const MOST = 480;
const FIRST_WIDTH = 1000;

export function makeSeries(start: number): Series {
  const sums: Record<Curve, number[]> = { boot: [], work: [], idle: [], jobs: [], hosts: [] };
  let width = FIRST_WIDTH;

  function join(): void {
    width *= 2;
    for (const curve of CURVES) {
      const before = sums[curve];
      sums[curve] = Array.from(
        { length: Math.ceil(before.length / 2) },
        (_, at) => (before[2 * at] ?? 0) + (before[2 * at + 1] ?? 0),
      );
    }
  }

  return {
    start,
    get width() {
      return width;
    },
    add(from, to, levels) {
      while (to - start > MOST * width) join();
      let at = from - start;
      while (at < to - start) {
        const bin = Math.floor(at / width);
        const until = Math.min(to - start, (bin + 1) * width);
        for (const curve of CURVES) {
          const list = sums[curve];
          while (list.length <= bin) list.push(0);
          list[bin] = (list[bin] ?? 0) + levels[curve] * (until - at);
        }
        at = until;
      }
    },
    averages: (curve) => sums[curve].map((sum) => sum / width),
  };
}
