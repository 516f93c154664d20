/**
 * What `check` tells of a VCP site besides: an add_host list that does not fit hosts.json, cloud
 * credentials that are not there, settings nobody reads.
 */
import { readFile } from 'node:fs/promises';
import { count, list } from '../../domain/words.ts';
import type { OptionValues } from '../../lib/option.ts';
import type { Remark } from '../cloud.ts';
import { addHostRemarks, hasAddHost } from './add-host.ts';
import { configFile, credentialRemarks } from './config-file.ts';
import { readVcpValues, unusedKeys } from './options.ts';

export interface RemarkParts {
  readonly hosts: readonly { readonly name: string; readonly ip: string }[];
  /** The folder of the env file. */
  readonly configDir: string;
}

/** @param given the loaded options */
export async function vcpRemarks(given: OptionValues, { hosts, configDir }: RemarkParts): Promise<readonly Remark[]> {
  const values = readVcpValues(given);
  const file = configFile(values, configDir);
  // Without it there is nothing to compare; `check` itself says so.
  const text = await readFile(file, 'utf8').catch(() => null);
  // In unit mode the Unit brings its own list.
  const spec = values.target.mode === 'spec';
  const names = text === null || !(spec || hasAddHost(text)) ? [] : addHostRemarks(text, file, hosts, spec);
  const { target } = values;
  return [
    ...names,
    ...(text === null || target.mode !== 'spec' ? [] : credentialRemarks(text, file, target.provider)),
    ...unusedKeys(given).map(({ keys, because }) => {
      const are = count(keys.length, 'setting is', 'settings are');
      return { wrong: false, text: `${are} not used, ${because}: ${list(keys, 10)}`, hint: '' };
    }),
  ];
}
