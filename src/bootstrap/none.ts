/**
 * BOOTSTRAP=none: the image mounts the shared file system and sets its name by itself. Nothing is proven here: a node
 * counts as prepared as soon as its machine runs, and the batch system's own registration is the only gate.
 */
import { z } from 'zod';
import type { OptionValues } from '../lib/option.ts';
import { knock } from '../lib/ssh.ts';
import type { Bootstrap } from './bootstrap.ts';
import type { BootstrapParts } from './ssh.ts';

const Values = z.object({ SSH_PORT: z.number() });

export function makeNoBootstrap(values: OptionValues, parts: Pick<BootstrapParts, 'knock'> = {}): Bootstrap {
  const { SSH_PORT: port } = Values.parse(values);
  const knockAt = parts.knock ?? knock;
  return {
    kind: 'none',
    check: async () => 'nothing to check: the image mounts and names itself',
    prepare: async () => {},
    answers: async (host, signal) => (await knockAt(host.ip, port, 300, signal)).kind !== 'silent',
    forget: async () => {},
  };
}
