/** What a contract that can be read had better say. */
import type { Contract, ContractMethod, ContractService, InputField, Position } from './contract.js';
import { type Idl, type IdlField, type IdlStruct, namesIn } from './idl.js';
import { readIdl } from './read-idl.js';
import { taskOf } from './read-response.js';
import { unitOf } from './unit.js';

/** The rules by name, with what each warns of. */
export const LINT_RULES = {
  'no-bounds': 'a number that a model is fed has no min or no max: nobody is told of a slip of the decimal point',
  'no-unit':
    'a number\'s unit is neither in its name (`bill_length_mm`) nor in `unit`; `unit = "1"` says that it has none',
  'no-max-bytes': 'a text without `values` or `max_bytes` may be as long as a frame',
  'no-length': 'a list of any length: a caller may send a million values for one row',
  required: 'a `required` field can never be left out again without breaking the stubs of the other side',
  'no-zero': 'an enum without UNSPECIFIED = 0: what is not set reads as its first choice, or as nothing',
  'no-label':
    'a classifier that answers probabilities and no field with role "label": every caller finds the largest on its own',
  'no-acceptance': 'a service without a bound (`accept.*`) promises nothing of how good its model is',
  'no-positive': 'two classes, of which none is `positive`: precision and recall are means over both',
  'no-error': 'a method that does not throw parley.ParleyError: callers are refused without a code and problems',
  'no-context': 'a method without a parley.RequestContext: callers can set no deadline and show no token',
  'id-reused': 'an id that had another name in the older contract: old callers send the old field in it',
  'number-reused':
    "an enum's number that had another name and label in the older contract: old callers mean the old value",
} as const satisfies Record<string, string>;

export type LintRule = keyof typeof LINT_RULES;

export interface LintWarning {
  readonly rule: LintRule;
  readonly position: Position;
  readonly message: string;
}

/** @param older an earlier contract of the same model @returns in the order of the text */
export function lint(contract: Contract, older?: Contract): readonly LintWarning[] {
  const warnings: LintWarning[] = [];
  const warn = (rule: LintRule, position: Position, message: string) => {
    const isTold = warnings.some((other) => other.message === message && other.position.line === position.line);
    if (!isTold) warnings.push({ rule, position, message });
  };
  const idl = readIdl(contract);
  for (const service of contract.services) {
    lintService(service, warn);
    for (const method of service.methods) lintMethod(method, warn);
  }
  lintDeclarations(idl, contract, warn);
  if (older !== undefined) lintReuse(readIdl(older), idl, warn);
  return warnings.sort((a, b) => a.position.line - b.position.line || a.position.column - b.position.column);
}

type Warn = (rule: LintRule, position: Position, message: string) => void;

function lintService({ name, accept, methods, position }: ContractService, warn: Warn): void {
  if (accept.bounds.length === 0) warn('no-acceptance', position, `${name} bounds nothing; write accept.… = "…"`);
  const label = methods[0]?.response.fields.find((field) => field.role === 'label');
  const classes = label?.enum?.members.filter((member) => member.value !== 0) ?? [];
  if (classes.length !== 2 || classes.some((member) => member.positive)) return;
  if (!accept.bounds.some(({ metric }) => ['precision', 'recall', 'f1'].includes(metric))) return;
  warn('no-positive', label!.position, `${label!.enum!.name} has two values and none with positive = "true"`);
}

function lintMethod(method: ContractMethod, warn: Warn): void {
  const { name, request, response, position } = method;
  if (method.errorId === undefined) warn('no-error', position, `${name} throws no parley.ParleyError`);
  if (method.contextId === undefined) warn('no-context', position, `${name} takes no parley.RequestContext`);
  for (const field of request.fields) lintInput(field, warn);
  for (const field of response.fields) {
    if (field.role === 'value' && unitOf(field) === undefined) {
      warn('no-unit', field.position, `${field.name} does not say what it is measured in`);
    }
  }
  const answers = response.fields.find(({ role }) => role === 'probability' || role === 'probability_of_positive');
  if (taskOf(response) === 'classification' && !response.fields.some(({ role }) => role === 'label')) {
    warn('no-label', answers?.position ?? position, `${response.name} has no field with role "label"`);
  }
}

const NUMBERS = ['byte', 'i16', 'i32', 'i64', 'double'];

function lintInput(field: InputField, warn: Warn): void {
  const { name, position, tensor } = field;
  if (field.role !== 'feature') return;
  if (tensor !== undefined && tensor.from === 'list' && tensor.shape.includes(-1)) {
    warn('no-length', position, `${name} may have any number of values; write shape = "…"`);
  }
  if (tensor?.from === 'binary') return;
  if (NUMBERS.includes(field.type)) {
    const lacks = (['min', 'max'] as const).filter((bound) => field[bound] === undefined);
    if (lacks.length > 0) warn('no-bounds', position, `${name} has no ${lacks.join(' and no ')}`);
    if (unitOf(field) === undefined) warn('no-unit', position, `${name} does not say what it is measured in`);
  }
  if (field.type === 'string' && field.values === undefined && field.maxBytes === undefined) {
    warn('no-max-bytes', position, `${name} may be of any length; write values = "…" or max_bytes = "…"`);
  }
}

/** Of the structs and enums that the contract's methods reach. */
function lintDeclarations(idl: Idl, contract: Contract, warn: Warn): void {
  const reached = reachedFrom(idl, contract);
  for (const { name, fields } of idl.structs.values()) {
    for (const field of reached.has(name) ? fields : []) {
      if (field.requiredness === 'required') warn('required', field.position, `${name}.${field.name} is required`);
    }
  }
  for (const { name, members, position } of idl.enums.values()) {
    if (reached.has(name) && !members.some(({ value }) => value === 0)) {
      warn('no-zero', position, `${name} has no value 0; write UNSPECIFIED = 0`);
    }
  }
}

function reachedFrom(idl: Idl, { services }: Contract): ReadonlySet<string> {
  const reached = new Set<string>();
  const reach = (fields: readonly IdlField[] | undefined): void => {
    for (const name of fields?.flatMap(({ type }) => namesIn(type)) ?? []) {
      if (reached.has(name)) continue;
      reached.add(name);
      reach(idl.structs.get(name)?.fields);
    }
  };
  for (const { name } of services)
    for (const method of idl.services.get(name)?.methods ?? []) {
      reach(method.arguments);
      reach([{ id: 0, name: '', requiredness: 'default', type: method.returns, position: method.position }]);
    }
  return reached;
}

function lintReuse(older: Idl, idl: Idl, warn: Warn): void {
  for (const struct of idl.structs.values()) {
    const old = older.structs.get(struct.name);
    if (old !== undefined) lintIds(old, struct, warn);
  }
  for (const { name, members } of idl.enums.values()) {
    const olds = older.enums.get(name)?.members ?? [];
    for (const member of members) {
      const old = olds.find(({ value }) => value === member.value);
      if (old === undefined || old.name === member.name || old.label === member.label) continue;
      warn(
        'number-reused',
        member.position,
        `${name}: ${member.value} was ${old.name}; give ${member.name} a new number`,
      );
    }
  }
}

function lintIds(old: IdlStruct, { name, fields }: IdlStruct, warn: Warn): void {
  for (const field of fields) {
    const before = old.fields.find(({ id }) => id === field.id);
    if (before === undefined || before.name === field.name) continue;
    warn(
      'id-reused',
      field.position,
      `${name}: the id ${field.id} was ${before.name}; another quantity needs a new id`,
    );
  }
}
