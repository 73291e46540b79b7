/** A contract as a page for people: what goes in, what comes out, how good it must be. Drawn by page-html.ts, and by the command line. */

import type { Contract, ContractMethod, ContractService, RequestStruct, ResponseStruct } from './contract.js';
import { type Example, examplesOf } from './page-examples.js';
import { bounds, defaultText, roleText } from './page-words.js';
import { unitOf } from './unit.js';

export interface PageTable {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface PageSection {
  readonly title: string;
  readonly note?: string;
  readonly table?: PageTable;
  readonly examples?: readonly Example[];
}

export interface Page {
  readonly title: string;
  readonly facts: readonly (readonly [string, string])[];
  readonly sections: readonly PageSection[];
}

export function pageOf(contract: Contract): Page {
  const { model, fingerprint, services, file } = contract;
  const facts = [
    ['model', model],
    ['file', file],
    ['fingerprint', fingerprint],
    ['services', services.map(({ name }) => name).join(', ')],
  ] as const;
  const methods = services.flatMap((service) => service.methods);
  const sections = [
    ...services.map(methodsSection),
    ...unique(methods.map(({ request }) => request)).map(requestSection),
    ...unique(methods.map(({ response }) => response)).map(responseSection),
    ...contract.enums.map(({ name, members }) => ({
      title: name,
      note: 'An enum; 0 is never a valid choice.',
      table: {
        header: ['number', 'name', 'label', ''],
        rows: members.map((each) => [String(each.value), each.name, each.label, each.positive ? 'positive' : '']),
      },
    })),
    ...services.map(acceptanceSection),
    { title: 'Example requests', note: 'With stubs of the Thrift compiler.', examples: examplesOf(contract) },
  ];
  return { title: `The contract of ${model}`, facts, sections };
}

const unique = <Named extends { readonly name: string }>(all: readonly Named[]): readonly Named[] =>
  all.filter(({ name }, index) => all.findIndex((other) => other.name === name) === index);

function methodsSection({ name, methods }: ContractService): PageSection {
  const list = (many: boolean, type: string) => (many ? `list<${type}>` : type);
  const row = ({ name: method, many, argument, request, response, contextId, errorId }: ContractMethod) => [
    method,
    `${argument.id}: ${list(many, request.name)} ${argument.name}`,
    list(many, response.name),
    contextId === undefined ? 'no' : `argument ${contextId}`,
    errorId === undefined ? 'undeclared' : 'ParleyError',
  ];
  const header = ['method', 'takes', 'answers', 'context', 'errors'];
  return { title: `Service ${name}`, table: { header, rows: methods.map(row) } };
}

function requestSection({ name, fields, unions = [] }: RequestStruct): PageSection {
  const rows = fields.map((field) => [
    String(field.path.join('.')),
    field.name,
    typeWords(field),
    unitOf(field) ?? '',
    bounds(field),
    defaultText(field.missing),
    [field.role === 'feature' ? '' : field.role, field.sensitive ? 'sensitive' : ''].filter(Boolean).join(', '),
  ]);
  const groups = unions.map(
    (union) =>
      `${union.name}: ${union.missing === 'refused' ? 'exactly' : 'at most'} one of ${union.members.map((member) => member.name).join(', ')}.`,
  );
  const header = ['id', 'field', 'type', 'unit', 'taken', 'missing', ''];
  return {
    title: `Request ${name}`,
    ...(groups.length > 0 ? { note: groups.join(' ') } : {}),
    table: { header, rows },
  };
}

function typeWords(field: RequestStruct['fields'][number]): string {
  const type = field.enum?.name ?? field.type;
  if (field.tensor === undefined) return type;
  const extents = field.tensor.shape.map((extent) => (extent < 0 ? 'any' : extent)).join(' × ');
  const kind = field.tensor.encodings?.join(', ') ?? (field.tensor.from === 'binary' ? field.tensor.dataType : type);
  return `${field.tensor.from} of ${extents} (${kind})`;
}

function responseSection({ name, fields }: ResponseStruct): PageSection {
  const rows = fields.map((field) => [
    String(field.id),
    field.name,
    field.type === 'map' ? `map<${field.enum?.name ?? 'string'}, double>` : (field.enum?.name ?? field.type),
    unitOf(field) ?? '',
    roleText(field.role),
  ]);
  return { title: `Answer ${name}`, table: { header: ['id', 'field', 'type', 'unit', 'what it is'], rows } };
}

function acceptanceSection({ name, accept }: ContractService): PageSection {
  const rows = accept.bounds.map((bound) => {
    const argument = bound.argument === undefined ? '' : `(${bound.argument})`;
    const slice =
      bound.slice === undefined ? 'all rows' : bound.slice.map((term) => `${term.field} = ${term.value}`).join(', ');
    const relative =
      bound.relativeTo === undefined
        ? ''
        : bound.relativeTo === 'production'
          ? ' worse than production'
          : ' better than the baseline';
    return [bound.metric + argument, slice, `${bound.comparison} ${bound.bound}${relative}`];
  });
  if (accept.baseline !== undefined) rows.push(['baseline', 'all rows', `better than ${accept.baseline}`]);
  if (accept.confidence !== undefined)
    rows.push(['confidence', '', `${accept.confidence}: the worse end of the interval`]);
  if (accept.minFixtures !== undefined) rows.push(['fixtures', '', `at least ${accept.minFixtures}`]);
  const guarded = ['production', ...accept.guards].join(', ');
  const note = rows.length === 0 ? 'No bound is asked for.' : `Before a version may be ${guarded}:`;
  const table = { header: ['what', 'where', 'must be'], rows };
  return { title: `How good ${name} must be`, note, ...(rows.length === 0 ? {} : { table }) };
}
