/**
 * The life of a host.
 *
 *            create          machine runs      prepared        registered
 *   free ───────────► starting ─────► preparing ──────► joining ──────► ready ◄──────┐ undrain: demand came back
 *    ▲                   │                │                │              │          │ or a job slipped in
 *    │ ip proven free    └── deadline / failure ──┬────────┘        drain ▼          │
 *  cooling ◄──── stopping ◄───────────────────────┴──────────────── draining ────────┘
 *    │   delete                                                  no job, seen by a NEW read: delete
 *    └─► quarantined (repeated failure, ip held by a stranger; retried after a growing pause; operator can release)
 *
 * Two further ways exist for a service that lost its memory (a damaged database) or met a cloud that changed under it:
 * a free, cooling or quarantined host whose machine is found in the cloud's list is adopted, and a host whose machine
 * is proven gone goes to cooling.
 */
export const HOST_STATES = [
  'free',
  'starting',
  'preparing',
  'joining',
  'ready',
  'draining',
  'stopping',
  'cooling',
  'quarantined',
] as const;

export type HostState = (typeof HOST_STATES)[number];

/** Every allowed move; a move that is not here is a defect, and the store refuses it. */
export const MOVES: Readonly<Record<HostState, readonly HostState[]>> = {
  //            the way out      adopted: its machine was found in the cloud's list         nobody may use it
  free: ['starting', 'preparing', 'ready', 'draining', 'stopping', 'quarantined'],
  starting: ['preparing', 'stopping', 'cooling'],
  preparing: ['joining', 'stopping', 'cooling'],
  joining: ['ready', 'stopping', 'cooling'],
  ready: ['draining', 'stopping', 'cooling'],
  draining: ['ready', 'stopping', 'cooling'],
  stopping: ['cooling'],
  cooling: ['free', 'quarantined', 'starting', 'preparing', 'ready', 'draining', 'stopping'],
  quarantined: ['free', 'starting', 'preparing', 'ready', 'draining', 'stopping'],
};

/** States in which a machine exists or may exist: they count against every limit and cost money. */
export const WITH_MACHINE: ReadonlySet<HostState> = new Set([
  'starting',
  'preparing',
  'joining',
  'ready',
  'draining',
  'stopping',
] satisfies HostState[]);

/** States on the way up: they count against `MAX_STARTING` and as supply that is coming. */
export const ON_THE_WAY: ReadonlySet<HostState> = new Set(['starting', 'preparing', 'joining'] satisfies HostState[]);

/** May a host go from one state to the other? */
export function mayMove(from: HostState, to: HostState): boolean {
  return MOVES[from].includes(to);
}
