/** mdx, the second generation's own cloud: its machines are made outside VCP, which this version does not do. */
import { CloudError } from '../../domain/errors.ts';

/** Why nothing is created at a site that has mdx switched on, or null. */
export function mdxRefusal(token: string | undefined): CloudError | null {
  if ((token ?? '').trim() === '') return null;
  return new CloudError('config', 'MDX_API_TOKEN is set, but this version does not make mdx machines', {
    hint: 'leave MDX_API_TOKEN empty when the machines are there before; VCP then takes them in as existing servers',
  });
}
