/** @throws unless the text is exactly one JSON document and a line's end */
export function parseJson(text: string): unknown {
  if (!text.endsWith('\n')) throw new Error(`no whole document: ${JSON.stringify(text)}`);
  return JSON.parse(text);
}
