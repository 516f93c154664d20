/** The shell layer of the lab (`lab/*.sh`), called in its order. */
import { join } from 'node:path';
import { randomId } from '../../lib/ids.ts';
import { sayRun } from '../../lib/run.ts';
import { Interrupted, LabError, type LabParts } from './parts.ts';

export interface Scripts {
  /** Installs what is missing. Not interrupted: a package half installed is worse than waiting for the second half. */
  install(): Promise<void>;
  /** Builds what the nodes are made of, where they are not made of this machine's own files. */
  images(): Promise<void>;
  /** Cluster, cloud and configuration. @throws LabError, also when a lab is up already; that one is left alone. */
  up(): Promise<void>;
  startService(): Promise<void>;
  stopService(): Promise<void>;
  /** Everything goes. Never interrupted. */
  down(): Promise<void>;
}

const MINUTE = 60_000;

/** @param mine down takes away only a lab that this object has brought up */
export function scripts(parts: LabParts, say: (text: string) => void, mine: boolean): Scripts {
  const owner = mine ? [`LAB_OWNER=${randomId('own-')}`] : [];
  const script = async (limit: number, signal: AbortSignal | undefined, name: string, ...args: string[]) => {
    const words = ['env', ...parts.place.variables, ...owner, 'sh', join(parts.root, 'lab', name), ...args];
    const onLine = (line: string) => say(line.replace(/^lab: /, ''));
    const result = await parts.run(words, { timeout: limit, signal, onLine });
    if (result.code === 0) return;
    // A Ctrl-C in the terminal reaches the script as well, perhaps before we have heard of it.
    if (result.signal === 'SIGINT' || result.code === 130) throw new Interrupted();
    if (result.aborted || result.code === null || result.stderr.trim() === '') {
      throw new LabError(`lab/${name}: ${sayRun({ ...result, command: [name, ...args] })}`);
    }
    throw new LabError(result.stderr.trim().replace(/^lab: /gm, ''));
  };
  return {
    install: () => script(20 * MINUTE, undefined, 'install.sh'),
    images: async () => {
      if (parts.place.cloud === 'vcp') await script(20 * MINUTE, parts.signal, 'images.sh');
    },
    up: () => script(MINUTE, parts.signal, 'up.sh'),
    startService: () => script(MINUTE, parts.signal, 'daemon.sh', 'start', parts.nodeBinary),
    stopService: () => script(MINUTE, undefined, 'daemon.sh', 'stop'),
    down: () => script(2 * MINUTE, undefined, 'down.sh'),
  };
}
