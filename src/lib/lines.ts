/**
 * Lines out of a stream, as they come.
 */

/**
 * Tells each whole line of the stream without its line end.
 * @param most characters; a longer line is told cut, or, with `tooLong`, not told at all and `tooLong` is called
 */
export function eachLine(
  stream: NodeJS.ReadableStream,
  most: number,
  tell: (line: string) => void,
  tooLong?: () => void,
): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > most) {
      if (tooLong) tooLong();
      else rest = rest.slice(0, most);
    }
    for (const line of lines) tell(tooLong ? line : line.slice(0, most));
  });
  // A last line without its end is half an answer: with `tooLong`, where lines are answers, it is not believed.
  stream.on('end', () => {
    if (rest !== '' && !tooLong) tell(rest);
    rest = '';
  });
  stream.on('error', () => {});
}
