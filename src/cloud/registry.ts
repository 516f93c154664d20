/**
 * Which clouds there are. The configuration reads the options, the application makes the one that `CLOUD` names.
 */
import type { Option, OptionValues } from '../lib/option.ts';
import type { Cloud } from './cloud.ts';
import { type CommandParts, commandOptions, makeCommandCloud } from './command/command.ts';
import { vcpOptions } from './vcp/options.ts';
import { makeVcpCloud, type VcpParts } from './vcp/vcp.ts';

export { renderAddHost } from './vcp/add-host.ts';
export { keptHosts, missingVcp, SECOND_GENERATION_MARKS, secondGenerationDefaults, vcpOptions } from './vcp/options.ts';

/** What every cloud adapter is handed. */
export type CloudParts = CommandParts & VcpParts;

export interface CloudKind {
  /** One line for the manual. */
  readonly about: string;
  readonly options: readonly Option[];
  make(values: OptionValues, parts: CloudParts): Cloud;
}

export const cloudKinds: Readonly<Record<string, CloudKind>> = {
  vcp: { about: "NII's VCP through its SDK", options: vcpOptions, make: makeVcpCloud },
  command: { about: "the site's own program", options: commandOptions, make: makeCommandCloud },
};

/** Names that are right but not in this version: the configuration says so instead of "unknown". */
export const plannedKinds: readonly string[] = ['aws', 'azure'];
