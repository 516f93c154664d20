/**
 * The fence: before anything goes out that changes the world, it is asked once more, at that moment, whether this
 * process is still the one at work. A process that was stopped and comes back finds a newer token and does nothing.
 *
 * What is left is the moment between the question and the call. It is harmless: the call was in the journal first, so
 * whoever took over knows of it; a create has its lease and makes one machine whoever asks; a delete is of a machine
 * that was proven empty and closed; and what the batch system was told late is read back at every look.
 */
import type { Batch } from '../batch/batch.ts';
import type { Bootstrap } from '../bootstrap/bootstrap.ts';
import type { Cloud } from '../cloud/cloud.ts';
import { BatchError, CloudError, PrepareError, sayError } from '../domain/errors.ts';

export interface Ports {
  readonly batch: Batch;
  readonly cloud: Cloud;
  readonly bootstrap: Bootstrap;
}

/**
 * The same ports behind the fence. Reading is free; changing is asked.
 * @param check returns when this process is still at work; when that cannot be proven it throws, and the call fails
 * with an error of its port
 */
export function fenced({ batch, cloud, bootstrap }: Ports, check: () => void): Ports {
  const ask = (error: (text: string, cause: unknown) => Error) => {
    try {
      check();
    } catch (cause) {
      throw error(sayError(cause), cause);
    }
  };
  const askBatch = () => ask((text, cause) => new BatchError('silent', text, { cause }));
  const askCloud = () => ask((text, cause) => new CloudError('temporary', text, { cause }));
  const { tell } = batch;
  return {
    batch: {
      ...batch,
      async joinCluster(...args) {
        askBatch();
        return batch.joinCluster(...args);
      },
      async leaveCluster(...args) {
        askBatch();
        return batch.leaveCluster(...args);
      },
      ...(tell === undefined
        ? {}
        : {
            async tell(...args: Parameters<typeof tell>) {
              askBatch();
              return tell.apply(batch, args);
            },
          }),
    },
    cloud: {
      ...cloud,
      async create(...args) {
        askCloud();
        return cloud.create(...args);
      },
      async delete(...args) {
        askCloud();
        return cloud.delete(...args);
      },
    },
    bootstrap: {
      ...bootstrap,
      async prepare(...args) {
        ask((text, cause) => new PrepareError('command', text, { cause }));
        return bootstrap.prepare(...args);
      },
    },
  };
}
