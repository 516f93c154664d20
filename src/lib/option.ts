/**
 * Option: one setting a part of the service understands. Every adapter states its own options beside its code; the
 * configuration loader collects them, so an option is written down once: name, default, check and explanation.
 */
import type { z } from 'zod';

export interface Option {
  /** As in the env file: `POLL_INTERVAL`. In hybrid-cloud.yaml also in lower case: `poll_interval`. */
  readonly key: string;
  /** Checks the text and turns it into the value. Its error message says what is expected: "a number of seconds". */
  readonly schema: z.ZodType<unknown, string>;
  /** Text as an administrator would write it; undefined = no default. */
  readonly fallback?: string;
  /** Must be given (when the part it belongs to is used). */
  readonly required?: boolean;
  /** Never printed, logged or stored. */
  readonly secret?: boolean;
  /** One line for the manual and for `check`. */
  readonly about: string;
}

/** The values of one part's options after loading, by key; absent when not given and without default. */
export type OptionValues = Readonly<Record<string, unknown>>;
