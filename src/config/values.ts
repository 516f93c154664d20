/**
 * Turns the texts into values by the options' own schemas, and says what is wrong with those that do not fit.
 */
import type { Option, OptionValues } from '../lib/option.ts';
import { type Given, type KnownKeys, type Origin, sayOrigin, written } from './known.ts';
import { type Findings, quote } from './problems.ts';
import type { Shown } from './settings.ts';
import type { Sources } from './sources.ts';

export interface Reader {
  readonly known: KnownKeys;
  readonly sources: Sources;
  readonly findings: Findings;
  /** Defaults that replace an option's own, with the words that say where they come from. */
  readonly defaults: Readonly<Record<string, string>>;
  readonly defaultsFrom: string;
  /** Filled while reading. */
  readonly shown: Map<string, Shown>;
  /** Keys whose value is wrong: rules about several keys are not applied to them. */
  readonly wrong: Set<string>;
  /** Where a key that is missing belongs, when that is not the env file: a pool in hybrid-cloud.yaml. */
  readonly home?: { readonly origin: Origin; readonly name: string };
}

/**
 * The values of one part.
 * @param needs why its required options are required: `CLOUD=command needs it`
 */
export function readValues(options: readonly Option[], reader: Reader, needs: string): OptionValues {
  const values: Record<string, unknown> = {};
  for (const option of options) {
    const value = readValue(option, reader, needs);
    if (value !== undefined) values[option.key] = value;
  }
  return values;
}

function readValue(option: Option, reader: Reader, needs: string): unknown {
  const { key } = option;
  const given = reader.sources.given.get(key);
  if (given !== undefined) {
    reader.shown.set(key, {
      value: reader.known.isSecret(key) ? '(set)' : given.text,
      source: sayOrigin(given.origin),
    });
    return checked(option, given, reader);
  }
  const special = reader.defaults[key];
  const fallback = special ?? option.fallback;
  if (fallback !== undefined) {
    reader.shown.set(key, { value: fallback, source: special === undefined ? 'default' : reader.defaultsFrom });
    return option.schema.parse(fallback);
  }
  if (option.required === true) {
    notSet(reader, key, needs, option.about);
  }
  return undefined;
}

function checked(option: Option, given: Given, reader: Reader): unknown {
  const { key, text, origin } = given;
  const shown = reader.known.isSecret(key) ? 'its value' : quote(visible(text));
  if (UNPRINTABLE.test(text)) {
    wrong(reader, origin, key, 'holds a line break or another control character', `write ${key} anew, on one line`);
    return undefined;
  }
  const result = option.schema.safeParse(text);
  if (result.success) return result.data;
  const issue = result.error.issues[0]?.message ?? 'what is expected here';
  // Options say what is expected ("a number of seconds"); zod's own words are a sentence of their own.
  const message = /^(Invalid|Too|Unrecognized) /.test(issue) ? `${shown}: ${issue}` : `${shown} is not ${issue}`;
  const example = reader.defaults[key] ?? option.fallback;
  wrong(
    reader,
    origin,
    key,
    message,
    example === undefined ? option.about : `write e.g. ${written(key, example, origin)}`,
  );
  return undefined;
}

/** Notes a problem once: two parts may know the same key. */
export function wrong(reader: Reader, origin: Origin, key: string, message: string, hint: string): void {
  reader.wrong.add(key);
  const { problems } = reader.findings;
  if (problems.some((p) => p.key === key && p.file === origin.file && p.line === origin.line && p.message === message))
    return;
  problems.push({ file: origin.file, line: origin.line, key, message, hint });
}

/** A key that is missing is told for the env file, where it belongs; not when a wrong line may have meant it. */
export function notSet(reader: Reader, key: string, needs: string, about: string): void {
  if (reader.wrong.has(key) || reader.sources.mayBeMeant(key)) return;
  const { home } = reader;
  const origin: Origin = home?.origin ?? { kind: 'env-file', file: reader.sources.envFile, line: null };
  const whose = home === undefined ? '' : ` for ${home.name}`;
  wrong(reader, origin, key, `${key} is not set${whose}; ${needs}`, WHAT_TO_WRITE[key] ?? about);
}

/** Where the explanation of the option alone does not say what to do. */
const WHAT_TO_WRITE: Readonly<Record<string, string>> = {
  NFS_MOUNT_POINT: 'write NFS_MOUNT_POINT=server:/directory, or BOOTSTRAP=none when the image mounts by itself',
  CLOUD_COMMAND: 'write CLOUD_COMMAND=/path/of/your/program',
  VCP_ACCESSKEY: 'write VCP_ACCESSKEY= and the access token of your VCP controller',
};

/**
 * Control characters, direction marks, and U+FFFD, which stands where the file is not UTF-8 (a comment in EUC-JP or
 * Shift_JIS does no harm, a value does).
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: refusing exactly these is the point
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufffd]/;

function visible(text: string): string {
  return text.replaceAll('"', "'");
}
