/**
 * Machine: a host as the cloud sees it.
 */
export type MachineState = 'starting' | 'running' | 'stopping' | 'failed' | 'unknown';

export interface Machine {
  /** The cloud's own id. */
  readonly id: string;
  readonly host: string;
  readonly ip: string;
  readonly state: MachineState;
  /** Our lease, if the cloud keeps it for us. */
  readonly lease: string | null;
  /** Since when it exists, epoch ms, if the cloud tells. */
  readonly since: number | null;
  /** What the cloud says about it (why it failed...), for people. */
  readonly message: string;
}
