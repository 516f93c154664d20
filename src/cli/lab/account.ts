/**
 * The cloud's own account of its machines (`log/cloud.log` of the lab): what a provider's bill would say. It is written
 * by the lab's cloud, so it bears witness against the service.
 */
export interface MachineLife {
  readonly id: string;
  readonly host: string;
  readonly lease: string;
  /** Epoch ms; null when it did not come to that. */
  readonly createdAt: number;
  readonly runningAt: number | null;
  readonly failedAt: number | null;
  readonly deletedAt: number | null;
  readonly goneAt: number | null;
}

/** Lines `seconds<TAB>what<TAB>id<TAB>host<TAB>lease`, oldest first; a line cut off at the end is left out. */
export function readAccount(text: string): MachineLife[] {
  const lives = new Map<string, MachineLife>();
  for (const line of text.split('\n').slice(0, -1)) {
    const [seconds = '', what, id = '', host = '', lease = ''] = line.split('\t');
    const at = Math.round(Number(seconds) * 1000);
    if (what === 'create') {
      const times = { runningAt: null, failedAt: null, deletedAt: null, goneAt: null };
      lives.set(id, { id, host, lease, createdAt: at, ...times });
    }
    const life = lives.get(id);
    if (life === undefined) continue;
    if (what === 'running') lives.set(id, { ...life, runningAt: at });
    if (what === 'failed') lives.set(id, { ...life, failedAt: at });
    if (what === 'delete') lives.set(id, { ...life, deletedAt: at });
    if (what === 'gone') lives.set(id, { ...life, goneAt: at });
  }
  return [...lives.values()];
}

/** How many machines there were at one time, at most. A machine counts from its request until it is gone. */
export function mostAtOnce(lives: readonly MachineLife[]): number {
  return mostOverlapping(lives.map((life) => ({ from: life.createdAt, to: life.goneAt ?? Number.POSITIVE_INFINITY })));
}

/** The most spans that hold at one moment; one that ends when another begins does not overlap it. */
export function mostOverlapping(spans: readonly { readonly from: number; readonly to: number }[]): number {
  const changes = spans.flatMap(({ from, to }) => [
    { at: from, by: 1 },
    { at: to, by: -1 },
  ]);
  changes.sort((a, b) => (a.at === b.at ? a.by - b.by : a.at < b.at ? -1 : 1));
  let now = 0;
  return changes.reduce((most, change) => {
    now += change.by;
    return Math.max(most, now);
  }, 0);
}
