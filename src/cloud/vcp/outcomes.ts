/**
 * Errors of single hosts, and when one of them is the error of the whole call.
 */
import { CloudError } from '../../domain/errors.ts';

export function byHand({ name }: { readonly name: string }): CloudError {
  // Its consequence is meant for one host only; `config` would stop the creation of all.
  return new CloudError('ip-in-use', `${name} is built by hand (VCP_KEEP_HOSTS): it is neither created nor deleted`);
}

export function asCloudError(error: unknown): CloudError {
  if (error instanceof CloudError) return error;
  return new CloudError('temporary', error instanceof Error ? error.message : String(error), { cause: error });
}

/** Nothing is known of any of them, or we were stopped in the middle: said once, for the whole call. */
export function throwWhenNobodyKnows(
  outcomes: readonly { readonly error: CloudError | null }[],
  signal?: AbortSignal,
): void {
  const errors = outcomes.map(({ error }) => error);
  const unknown = errors.find((error) => error?.kind === 'ambiguous');
  if (unknown != null && errors.every((error) => error?.kind === 'ambiguous')) throw unknown;
  if (signal?.aborted && errors.some((error) => error !== null)) {
    throw unknown ?? new CloudError('ambiguous', 'we were told to stop in the middle of it');
  }
}
