/**
 * The selected adapter of a family and its options; those of the others are not looked at.
 */
import type { OptionValues } from '../lib/option.ts';
import { type Family, type Origin, written } from './known.ts';
import { nearest } from './names.ts';
import { quote } from './problems.ts';
import { type Reader, readValues, wrong } from './values.ts';

/** @param asked the name as given, undefined when that is wrong already */
export function readPart(
  key: string,
  asked: string | undefined,
  family: Family,
  planned: readonly string[],
  reader: Reader,
): { readonly name: string; readonly values: OptionValues } {
  const name = (asked ?? '').toLowerCase();
  const part = Object.hasOwn(family, name) ? family[name] : undefined;
  if (part !== undefined) return { name, values: readValues(part.options, reader, `${key}=${name} needs it`) };
  if (!reader.wrong.has(key)) {
    const origin = reader.sources.given.get(key)?.origin;
    const place: Origin = origin ?? { kind: 'default', file: reader.sources.envFile, line: null };
    const names = Object.keys(family);
    const meant = nearest(name, names);
    const what = `${quote(name)}${origin ? '' : ' (the default)'}`;
    const message = planned.includes(name)
      ? `${what} is not in this version`
      : `${what} is not one of ${names.join(', ')}`;
    const hint = meant === null ? `write e.g. ${written(key, names[0] ?? '...', place)}` : `did you mean ${meant}?`;
    wrong(reader, place, key, message, hint);
  }
  return { name, values: {} };
}
