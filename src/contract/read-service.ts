/** A service's declaration, read: its methods, its model, and how good that must be. */
import {
  type FieldDefinition,
  type FunctionDefinition,
  type ServiceDefinition,
  SyntaxType,
} from '@creditkarma/thrift-parser';
import { MODEL_NAME_PATTERN } from '../model/version.js';
import type { ContractMethod, ContractService, RequestStruct, ResponseStruct } from './contract.js';
import { didYouMean } from './nearest.js';
import { readAcceptance } from './read-acceptance.js';
import { AnnotationSet, refuseAnnotations } from './read-annotations.js';
import { readRequest } from './read-request.js';
import { readResponse, taskOf } from './read-response.js';
import type { Reader } from './reader.js';
import type { Resolved } from './resolve.js';
import { checkName, lookUp, PARLEY, type Scope } from './scope.js';

/** Services of parley.thrift, which answer on the same port. */
const GENERIC_SERVICES = ['Prediction', 'Training', 'Registry', 'Feedback', 'Operations'];

type Struct = Extract<Resolved, { readonly kind: 'struct' }>;

export function readService(reader: Reader, scope: Scope, syntax: ServiceDefinition): ContractService {
  const { source } = scope;
  const name = syntax.name.value;
  const position = source.at(syntax.name.loc);
  const report = (message: string) => reader.problems.add(position, message);
  if (GENERIC_SERVICES.includes(name)) report(`${name} is one of Parley's own services; rename this one`);
  const methods: ContractMethod[] = [];
  const sources = new Map<string, ServiceDefinition>();
  for (const owner of lineOf(scope, syntax, reader)) readMethods(reader, owner, name, methods, sources);
  if (sources.size === 0) report(`${name} has no method`);
  const tasks = new Set(methods.map((method) => taskOf(method.response)));
  if (tasks.size > 1) report(`${name} has methods that classify and methods that estimate a value; one model does one`);
  const annotations = new AnnotationSet(source, syntax.annotations, 'service', reader.problems);
  const model = readModel(reader, annotations, name, position);
  const changes = annotations.choice('changes', ['agreed']);
  return {
    name,
    model,
    methods,
    accept: readAcceptance(annotations, methods),
    ...(changes === undefined ? {} : { changes }),
    position,
  };
}

interface Owner {
  readonly scope: Scope;
  readonly syntax: ServiceDefinition;
}

/** The service and those that it extends, itself first, so that its own methods come first. */
function lineOf(scope: Scope, syntax: ServiceDefinition, reader: Reader): readonly Owner[] {
  const line: Owner[] = [{ scope, syntax }];
  for (let last = line[0]!; last.syntax.extends !== null; last = line.at(-1)!) {
    const { value: name, loc } = last.syntax.extends;
    const position = last.scope.source.at(loc);
    const found = lookUp(last.scope, name);
    if (found === undefined) {
      const near = didYouMean(name, serviceNames(last.scope));
      reader.problems.add(position, `there is no service ${name} to extend${near}`);
      return line;
    }
    if ('parley' in found) {
      reader.problems.add(
        position,
        `${name} answers on the same port already; a contract's service does not extend it`,
      );
      return line;
    }
    const { declaration, scope: home } = found;
    if (declaration.type !== SyntaxType.ServiceDefinition) {
      reader.problems.add(position, `${name} is not a service, and only a service can be extended`);
      return line;
    }
    if (line.some((owner) => owner.syntax === declaration)) {
      const way = [...line.map((owner) => owner.syntax.name.value), declaration.name.value].join(' extends ');
      reader.problems.add(position, `${last.syntax.name.value} leads back to itself: ${way}`);
      return line;
    }
    line.push({ scope: home, syntax: declaration });
  }
  return line;
}

function serviceNames(scope: Scope): string[] {
  const included = [...scope.included].flatMap(([prefix, inner]) =>
    inner === PARLEY ? [] : inner.services.map((service) => `${prefix}.${service.name.value}`),
  );
  return [...scope.services.map((service) => service.name.value), ...included];
}

/** Adds those of `owner` to `methods`; a name that is taken is reported. */
function readMethods(
  reader: Reader,
  { scope, syntax }: Owner,
  service: string,
  methods: ContractMethod[],
  sources: Map<string, ServiceDefinition>,
): void {
  for (const method of syntax.functions) {
    const name = method.name.value;
    const read = readMethod(reader, scope, method);
    const earlier = sources.get(name);
    sources.set(name, earlier ?? syntax);
    if (earlier === undefined) {
      if (read !== undefined) methods.push(read);
    } else if (earlier === syntax) {
      reader.problems.add(scope.source.at(method.name.loc), `${service} has two methods called ${name}; rename one`);
    } else {
      const whose = `${earlier.name.value} and ${syntax.name.value}, which it extends,`;
      reader.problems.add(scope.source.at(method.name.loc), `${whose} both have a method called ${name}; rename one`);
    }
  }
}

/** Whether a service is there only to be extended: it says of no model, and another one takes its methods. */
export function isBaseOnly({ services }: Scope, { name, annotations }: ServiceDefinition): boolean {
  const own = annotations?.annotations.some(
    ({ name: key }) => key.value === 'model' || key.value.startsWith('accept.'),
  );
  return own !== true && services.some((other) => other.extends?.value === name.value);
}

function readModel(
  reader: Reader,
  annotations: AnnotationSet,
  service: string,
  position: ContractService['position'],
): string {
  if (annotations.get('model') === undefined) {
    const bound = annotations.under('accept.')[0];
    const clause = bound === undefined ? '' : ` (and ${bound.key} bounds nothing)`;
    reader.problems.add(
      position,
      `a service without a model${clause}; write (model = "${service.toLowerCase()}") after its closing brace`,
    );
    return '';
  }
  const model = annotations.text('model') ?? '';
  if (model !== '' && !MODEL_NAME_PATTERN.test(model)) {
    const message = `"${model}" is not a model's name: 1 to 128 letters, digits, dots, dashes and underscores, a letter or digit first`;
    annotations.report(annotations.get('model')!, message);
  }
  return model;
}

/** Undefined when the method cannot be read; why is reported. */
function readMethod(reader: Reader, scope: Scope, syntax: FunctionDefinition): ContractMethod | undefined {
  const { source } = scope;
  const name = syntax.name.value;
  const position = source.at(syntax.name.loc);
  checkName(source, syntax.name, reader.problems);
  refuseAnnotations(source, syntax.annotations, 'a method', reader.problems);
  if (syntax.oneway) {
    reader.problems.add(
      position,
      `a oneway method (${name}) answers nothing; drop the word oneway, and return a struct`,
    );
  }
  const errorId = readThrows(reader, scope, syntax);
  const returned = readRows(reader.resolve(scope, syntax.returnType));
  if (returned === undefined) {
    const message = `${name} must return a struct for one row, or a list of structs for many`;
    reader.problems.add(source.at(syntax.returnType.loc), message);
  }
  const parameters = readParameters(reader, scope, syntax);
  const response: ResponseStruct | undefined =
    typeof returned === 'object' ? responseOf(reader, returned.struct) : undefined;
  if (parameters === undefined || response === undefined || typeof returned !== 'object') return undefined;
  if (returned.many !== parameters.many) {
    const [takes, returns] = parameters.many
      ? ['takes a list', 'returns one answer']
      : ['takes one row', 'returns a list'];
    reader.problems.add(position, `${name} ${takes} and ${returns}; make both a list, or neither`);
  }
  const { many, argument, request, contextId } = parameters;
  return {
    name,
    many,
    argument,
    request,
    ...(contextId === undefined ? {} : { contextId }),
    response,
    ...(errorId === undefined ? {} : { errorId }),
    position,
  };
}

function responseOf(reader: Reader, { scope, declaration }: Struct): ResponseStruct {
  return reader.once(reader.responses, declaration, () => readResponse(reader, scope, declaration));
}

/** A struct, or a list of it; 'unknown' when that was already reported. */
function readRows(resolved: Resolved): { readonly many: boolean; readonly struct: Struct } | 'unknown' | undefined {
  const row = resolved.kind === 'list' ? resolved.element : resolved;
  if (row.kind === 'unknown') return 'unknown';
  return row.kind === 'struct' ? { many: resolved.kind === 'list', struct: row } : undefined;
}

function readThrows(reader: Reader, scope: Scope, syntax: FunctionDefinition): number | undefined {
  let errorId: number | undefined;
  for (const field of reader.distinctFields(scope, syntax.throws, `throws of ${syntax.name.value}`)) {
    const resolved = reader.resolve(scope, field.fieldType);
    if (resolved.kind === 'unknown') continue;
    if (resolved.kind === 'parley' && resolved.name === 'ParleyError' && errorId === undefined) {
      errorId = field.fieldID?.value;
    } else {
      reader.problems.add(
        scope.source.at(field.name.loc),
        'a method throws parley.ParleyError, once, and nothing else',
      );
    }
  }
  return errorId;
}

interface Parameters {
  readonly many: boolean;
  readonly argument: ContractMethod['argument'];
  readonly request: RequestStruct;
  readonly contextId?: number;
}

function readParameters(reader: Reader, scope: Scope, syntax: FunctionDefinition): Parameters | undefined {
  const { source } = scope;
  const before = reader.problems.count;
  let contextId: number | undefined;
  const rows: { readonly many: boolean; readonly struct: Struct; readonly field: FieldDefinition }[] = [];
  for (const field of reader.distinctFields(scope, syntax.fields, syntax.name.value)) {
    refuseAnnotations(source, field.annotations, 'an argument', reader.problems);
    const position = source.at(field.name.loc);
    if (field.defaultValue !== null) reader.problems.add(position, 'an argument cannot have a default value');
    const resolved = reader.resolve(scope, field.fieldType);
    const row = readRows(resolved);
    if (resolved.kind === 'parley' && resolved.name === 'RequestContext' && contextId === undefined) {
      contextId = field.fieldID?.value;
    } else if (row === undefined) {
      const message = `the argument ${field.name.value} is none of what a method takes: a struct or a list of structs, and a parley.RequestContext`;
      reader.problems.add(position, message);
    } else if (row !== 'unknown') rows.push({ ...row, field });
  }
  const [first, second] = rows;
  if (second !== undefined) {
    const message = `${syntax.name.value} takes a second struct (${second.field.name.value}); put all fields into one, where structs may be nested`;
    reader.problems.add(source.at(second.field.name.loc), message);
  }
  if (first === undefined) {
    if (reader.problems.count === before) {
      reader.problems.add(source.at(syntax.name.loc), `${syntax.name.value} takes no struct to be fed to the model`);
    }
    return undefined;
  }
  const { many, struct, field } = first;
  return {
    many,
    argument: { id: field.fieldID?.value ?? 0, name: field.name.value },
    request: reader.once(reader.requests, struct.declaration, () =>
      readRequest(reader, struct.scope, struct.declaration),
    ),
    ...(contextId === undefined ? {} : { contextId }),
  };
}
