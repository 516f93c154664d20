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
import type { NamedCloud } from './clouds.ts';

export interface Ports {
  readonly batch: Batch;
  readonly clouds: readonly NamedCloud[];
  readonly bootstrap: Bootstrap;
}

/**
 * The same ports behind the fence. Reading is free; changing is asked.
 * @param check returns when this process is still at work; when that cannot be proven it throws, and the call fails
 * with an error of its port
 */
export function fenced({ batch, clouds, bootstrap }: Ports, check: () => void): Ports {
  return {
    batch: fencedBatch(batch, check),
    clouds: clouds.map(({ name, cloud }) => ({ name, cloud: fencedCloud(cloud, check) })),
    bootstrap: fencedBootstrap(bootstrap, check),
  };
}

/** A batch system behind the fence. */
function fencedBatch(batch: Batch, check: () => void): Batch {
  const ask = () => asked(check, (text, cause) => new BatchError('silent', text, { cause }));
  const { tell } = batch;
  return {
    ...batch,
    async joinCluster(...args) {
      ask();
      return batch.joinCluster(...args);
    },
    async leaveCluster(...args) {
      ask();
      return batch.leaveCluster(...args);
    },
    ...(tell === undefined
      ? {}
      : {
          async tell(...args: Parameters<typeof tell>) {
            ask();
            return tell.apply(batch, args);
          },
        }),
  };
}

/** A cloud behind the fence. */
function fencedCloud(cloud: Cloud, check: () => void): Cloud {
  const ask = () => asked(check, (text, cause) => new CloudError('temporary', text, { cause }));
  return {
    ...cloud,
    async create(...args) {
      ask();
      return cloud.create(...args);
    },
    async delete(...args) {
      ask();
      return cloud.delete(...args);
    },
  };
}

/** A bootstrap behind the fence. */
function fencedBootstrap(bootstrap: Bootstrap, check: () => void): Bootstrap {
  return {
    ...bootstrap,
    async prepare(...args) {
      asked(check, (text, cause) => new PrepareError('command', text, { cause }));
      return bootstrap.prepare(...args);
    },
  };
}

function asked(check: () => void, error: (text: string, cause: unknown) => Error): void {
  try {
    check();
  } catch (cause) {
    throw error(sayError(cause), cause);
  }
}
