/**
 * Which jobs met a drain, read from slurmctld's log and not told by the service: a job that was submitted within a moment
 * of the closing of a host that it could use. Each closing is the meeting of one job at most, so a volley of jobs around
 * the drain of one host counts as one.
 */

/** What slurmctld noted; ms since 1970. */
export interface Notes {
  /** Job id -> when it was submitted. */
  readonly submitted: ReadonlyMap<string, number>;
  /** In order. */
  readonly drains: readonly Drain[];
  /** The hosts that take jobs. */
  readonly open: ReadonlySet<string>;
  /** When a node was closed or opened for the last time; 0 = never. */
  readonly changed: number;
}

/** An open host was closed, for its machine is to go. */
export interface Drain {
  readonly host: string;
  readonly at: number;
  /** When it was opened again; null = not yet. */
  readonly opened: number | null;
}

export interface Notebook extends Notes {
  /** Adds lines of the log, in their order. */
  read(lines: string): void;
}

/** A job that could use these hosts only; null = any. */
export interface Guest {
  readonly id: string;
  readonly hosts: readonly string[] | null;
}

export interface Deleted {
  readonly at: number;
  readonly host: string;
}

/** A job submitted at most so many ms before or after has met the drain. */
export const MOMENT = 500;

const SUBMITTED = /^_slurm_rpc_submit_batch_job: JobId=(\d+) /;
const REASON = /^update_node: node (\S+) reason set to: (.*)$/;
const STATE = /^update_node: node (\S+) state set to (\S+)/;
/** So the service begins its reasons; and so it ends one for a host that has no machine yet, which nobody can meet. */
const OURS = 'hybrid-cloud: ';
const NO_MACHINE = 'no job may land on it yet';

/** Empty; a host is not open before Slurm says so. */
export function openNotebook(): Notebook {
  const submitted = new Map<string, number>();
  const drains: Drain[] = [];
  const reasons = new Map<string, string>();
  const open = new Set<string>();
  let changed = 0;

  function closed(host: string, at: number): void {
    const reason = reasons.get(host) ?? '';
    const going = reason.startsWith(OURS) && !reason.endsWith(NO_MACHINE);
    if (open.delete(host) && going) drains.push({ host, at, opened: null });
  }

  function opened(host: string, at: number): void {
    open.add(host);
    const last = drains.findLastIndex((drain) => drain.host === host);
    const drain = drains[last];
    if (drain !== undefined && drain.opened === null) drains[last] = { ...drain, opened: at };
  }

  return {
    submitted,
    drains,
    open,
    get changed() {
      return changed;
    },
    read(lines) {
      for (const line of lines.split('\n')) {
        const [, time = '', text = ''] = /^\[([^\]]+)\] (.*)$/.exec(line) ?? [];
        const at = Date.parse(time);
        if (Number.isNaN(at)) continue;
        const [, id] = SUBMITTED.exec(text) ?? [];
        if (id !== undefined) submitted.set(id, at);
        const [, named, reason = ''] = REASON.exec(text) ?? [];
        if (named !== undefined) reasons.set(named, reason);
        const [, host, state = ''] = STATE.exec(text) ?? [];
        if (host === undefined) continue;
        changed = at;
        (state.startsWith('DRAIN') ? closed : opened)(host, at);
      }
    },
  };
}

/**
 * Pairs drains and jobs: each drain, in order, gets the job that could use its host, came in its moment and was submitted
 * first of those that have met none.
 * @returns ids of the jobs that have met a drain
 */
export function meetings(
  guests: readonly Guest[],
  { submitted, drains }: Pick<Notes, 'submitted' | 'drains'>,
): Set<string> {
  const came = guests
    .flatMap((guest) => {
      const at = submitted.get(guest.id);
      return at === undefined ? [] : [{ ...guest, at }];
    })
    .sort((a, b) => a.at - b.at);
  const met = new Set<string>();
  let from = 0;
  for (const { host, at } of drains.toSorted((a, b) => a.at - b.at)) {
    while ((came[from]?.at ?? Number.POSITIVE_INFINITY) < at - MOMENT) from++;
    for (let i = from; i < came.length; i++) {
      const one = came[i];
      if (one === undefined || one.at > at + MOMENT) break;
      if (met.has(one.id) || one.hosts?.includes(host) === false) continue;
      met.add(one.id);
      break;
    }
  }
  return met;
}

/** How many of the drains were called off: the host was opened again, and its machine was not deleted in between. */
export function calledOff(drains: readonly Drain[], deletes: readonly Deleted[]): number {
  return drains.filter(
    ({ host, at, opened }) =>
      opened !== null && !deletes.some((one) => one.host === host && one.at >= at && one.at <= opened),
  ).length;
}
