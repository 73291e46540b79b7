/** Small projects in temporary folders: a contract, a parley.yaml and a CSV, each replaceable. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { temporaryFolder } from '../sources/reading.js';

export const FLOWERS_IDL = `
enum Kind { UNSPECIFIED = 0, ROSE = 1 (label = "rose"), TULIP = 2 (label = "tulip") }
struct Flower {
  1: optional double height (min = "0", max = "300")
  2: optional string color (values = "red,yellow", missing = "allowed")
}
struct Named { 1: optional Kind kind (role = "label")  2: optional double sure (role = "confidence") }
service Flowers { Named name(1: Flower flower) } (model = "flowers")
`;

export const PRICES_IDL = `
struct House { 1: optional double area  2: optional bool garden  3: optional i32 rooms = 3 }
struct Price { 1: optional double price (role = "value") }
service Houses { Price appraise(1: House house) } (model = "houses")
`;

/** Roses are tall; \`color\` says little. */
export function flowers(rows: number): string {
  const lines = Array.from({ length: rows }, (_, i) => {
    const rose = i % 2 === 0;
    return `${(rose ? 150 : 40) + ((i * 7) % 31)},${['red', 'yellow', ''][i % 3]},${rose ? 'rose' : 'tulip'}\n`;
  });
  return `height,color,kind\n${lines.join('')}`;
}

export interface ProjectFolder {
  readonly path: string;
  write(name: string, text: string): void;
  remove(): void;
}

export const FLOWERS = {
  name: 'flowers',
  contract: 'flowers.thrift',
  source: { kind: 'csv', path: 'flowers.csv' },
  label: 'kind',
};

export const HOUSES = {
  name: 'houses',
  contract: 'houses.thrift',
  source: { kind: 'csv', path: 'houses.csv' },
  label: 'price',
};

export function projectFolder(configuration: object | string, files: Readonly<Record<string, string>>): ProjectFolder {
  const { path, remove } = temporaryFolder();
  const write = (name: string, text: string) => {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  };
  write('parley.yaml', typeof configuration === 'string' ? configuration : stringify(configuration));
  for (const [name, text] of Object.entries(files)) write(name, text);
  return { path, write, remove };
}

export function flowerFolder(changes: object = {}, files: Readonly<Record<string, string>> = {}): ProjectFolder {
  const all = { 'flowers.thrift': FLOWERS_IDL, 'flowers.csv': flowers(200), ...files };
  return projectFolder({ ...FLOWERS, ...changes }, all);
}
