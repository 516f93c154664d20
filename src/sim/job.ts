/**
 * A job of the replay: what it asks for on the hosts of the simulated pool, and how long it really runs.
 */
export interface SimJob {
  readonly id: string;
  /** Position in the order of submission: the order of the queue. */
  readonly number: number;
  /** When it may start at the earliest, epoch ms. */
  readonly submit: number;
  /** How long it runs once it starts, ms. */
  readonly run: number;
  /** What the scheduler believes it may run, ms. */
  readonly limit: number;
  /** Hosts it needs at one time. */
  readonly nodes: number;
  /** CPUs on each of them. */
  readonly cpus: number;
  /** MiB on each of them; 0 = not said, or memory is not looked at. */
  readonly memoryMiB: number;
}

/** The hosts of the simulated pool: all alike. */
export interface Shape {
  readonly hosts: number;
  readonly cpus: number;
  /** MiB; 0 = memory is not looked at. */
  readonly memoryMiB: number;
}
