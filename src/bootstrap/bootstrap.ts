/**
 * The port that makes a running machine fit to join: it mounts the shared file system and proves the node is the one
 * we mean. May throw PrepareError and nothing else.
 */
import type { Host } from '../domain/host.ts';

export interface Bootstrap {
  readonly kind: string;

  /** Its own needs are met (keys, programs). @returns one line for `check`. @throws PrepareError `command`. */
  check(signal?: AbortSignal): Promise<string>;

  /**
   * Mounts the shared file system and proves host name, address and mount on the node. Idempotent: on a prepared node
   * it only proves. Waits for the node to answer, within the signal.
   */
  prepare(host: Host, signal: AbortSignal): Promise<void>;

  /** Does anything answer on the host's address? Asked before its address is used again. Short, never throws. */
  answers(host: Host, signal?: AbortSignal): Promise<boolean>;

  /** DEAD_MAN_TIME: prepared nodes wait for a sign of life of the service; absent when they do not. */
  readonly greet?: {
    /** ms between two signs. */
    readonly every: number;
    /** @throws PrepareError when the node did not hear it */
    hello(host: Host, signal: AbortSignal): Promise<void>;
  };

  /** The machine is gone: forget its host key. */
  forget(host: Host): Promise<void>;
}
