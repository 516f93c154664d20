/**
 * Which ways there are to prepare a machine. The configuration reads the options, the application makes the one that
 * `BOOTSTRAP` names.
 */
import type { Option, OptionValues } from '../lib/option.ts';
import type { Bootstrap } from './bootstrap.ts';
import { makeNoBootstrap } from './none.ts';
import { type BootstrapParts, makeSshBootstrap } from './ssh.ts';
import { portOption, sshOptions } from './ssh-options.ts';

export interface BootstrapKind {
  /** One line for the manual. */
  readonly about: string;
  readonly options: readonly Option[];
  make(values: OptionValues, parts: BootstrapParts): Bootstrap;
}

export const bootstrapKinds: Readonly<Record<string, BootstrapKind>> = {
  ssh: { about: 'mounts and checks over ssh', options: sshOptions, make: makeSshBootstrap },
  none: { about: 'the image does it itself', options: [portOption], make: makeNoBootstrap },
};
