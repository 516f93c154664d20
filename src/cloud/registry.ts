/**
 * Which clouds there are. The configuration reads the options, the application makes the one that `CLOUD` names.
 */
import type { Option, OptionValues } from '../lib/option.ts';
import type { Cloud } from './cloud.ts';
import { type CommandParts, commandOptions, makeCommandCloud } from './command/command.ts';

/** What every cloud adapter is handed. */
export type CloudParts = CommandParts;

export interface CloudKind {
  /** One line for the manual. */
  readonly about: string;
  readonly options: readonly Option[];
  make(values: OptionValues, parts: CloudParts): Cloud;
}

export const cloudKinds: Readonly<Record<string, CloudKind>> = {
  command: { about: "the site's own program", options: commandOptions, make: makeCommandCloud },
};

/** Names that are right but not in this version: the configuration says so instead of "unknown". */
export const plannedKinds: readonly string[] = ['vcp', 'aws', 'azure'];
