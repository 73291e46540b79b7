/** A strict reader of what of XML 1.0 reports use: what is not well-formed is an error. */

export interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly Element[];
  /** Of this element alone. */
  readonly text: string;
}

const NAME = String.raw`[A-Za-z_][\w.-]*`;
const TAG = new RegExp(String.raw`^<(${NAME})((?:\s+${NAME}="[^"<]*")*)\s*(/?)>`);
const ALLOWED = /^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u;

export function parseXml(source: string): Element {
  if (!ALLOWED.test(source)) throw new Error('there is a character that XML cannot hold');
  const body = source.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\s*/, '');
  const { element, rest } = readElement(body);
  if (rest.trim() !== '') throw new Error(`something stands behind the root: ${rest.slice(0, 40)}`);
  return element;
}

function readElement(source: string): { readonly element: Element; readonly rest: string } {
  const tag = TAG.exec(source);
  if (tag === null) throw new Error(`no tag: ${source.slice(0, 60)}`);
  const [whole, name, attributeText, closed] = tag;
  const attributes: Record<string, string> = {};
  for (const [, key, value] of attributeText.matchAll(new RegExp(`(${NAME})="([^"]*)"`, 'g'))) {
    if (key in attributes) throw new Error(`${name} has ${key} twice`);
    // A parser makes spaces of raw line ends in an attribute.
    attributes[key] = decoded(value.replace(/[\t\n\r]/g, ' '));
  }
  let rest = source.slice(whole.length);
  if (closed === '/') return { element: { name, attributes, children: [], text: '' }, rest };
  const children: Element[] = [];
  let text = '';
  while (!rest.startsWith('</')) {
    if (rest === '') throw new Error(`${name} is not closed`);
    const upTo = rest.indexOf('<');
    text += decoded(rest.slice(0, upTo));
    rest = rest.slice(upTo);
    if (rest.startsWith('</')) break;
    const inner = readElement(rest);
    children.push(inner.element);
    rest = inner.rest;
  }
  if (!rest.startsWith(`</${name}>`)) throw new Error(`${name} is closed by ${rest.slice(0, 20)}`);
  return { element: { name, attributes, children, text }, rest: rest.slice(name.length + 3) };
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decoded(text: string): string {
  if (text.includes(']]>')) throw new Error('"]]>" stands in a text');
  return text.replace(/&(?:#(\d+)|(\w+))?;?/g, (found, number?: string, name?: string) => {
    if (!found.endsWith(';')) throw new Error(`a bare &: ${found}`);
    const value = number === undefined ? ENTITIES[name ?? ''] : String.fromCodePoint(Number(number));
    if (value === undefined) throw new Error(`an unknown entity ${found}`);
    return value;
  });
}
