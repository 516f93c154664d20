/**
 * JSON for `--json`: the view as it is. JSON.stringify leaves C1 control and format characters as they are, which some
 * terminals obey; escaped, they mean the same to a program.
 */
export function renderJson(view: unknown, indent = 2): string {
  return JSON.stringify(view, null, indent).replace(/[^\P{C}\n]|[\u2028\u2029]/gu, (char) =>
    Array.from({ length: char.length }, (_, at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, '0')}`).join(''),
  );
}
