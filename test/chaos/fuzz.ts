import type { TestParts } from '../run-all.ts';
export async function longFuzz(_count: number, _seed: number, _parts: TestParts): Promise<number> {
  return 1;
}
