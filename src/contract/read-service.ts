/** A service's declaration, read: its methods, its model, and how good that must be. */
import type { FieldDefinition, FunctionDefinition, ServiceDefinition } from '@creditkarma/thrift-parser';
import { MODEL_NAME_PATTERN } from '../model/version.js';
import type { ContractMethod, ContractService, RequestStruct, ResponseStruct } from './contract.js';
import { readAcceptance } from './read-acceptance.js';
import { AnnotationSet, refuseAnnotations } from './read-annotations.js';
import { readRequest } from './read-request.js';
import { readResponse, taskOf } from './read-response.js';
import type { Reader } from './reader.js';
import { checkName, type Resolved, type Scope } from './scope.js';

/** Services of parley.thrift, which answer on the same port. */
const GENERIC_SERVICES = ['Prediction', 'Training', 'Registry', 'Feedback', 'Operations'];

type Struct = Extract<Resolved, { readonly kind: 'struct' }>;

export function readService(reader: Reader, scope: Scope, syntax: ServiceDefinition): ContractService {
  const { source } = scope;
  const name = syntax.name.value;
  const position = source.at(syntax.name.loc);
  const report = (message: string) => reader.problems.add(position, message);
  if (GENERIC_SERVICES.includes(name)) report(`${name} is one of Parley's own services; rename this one`);
  if (syntax.extends !== null) {
    const message = `a service that extends another is not supported yet; declare the methods of ${syntax.extends.value} here`;
    reader.problems.add(source.at(syntax.extends.loc), message);
  }
  const methods: ContractMethod[] = [];
  for (const method of syntax.functions) {
    const read = readMethod(reader, scope, method);
    if (methods.some((other) => other.name === method.name.value)) {
      const message = `${name} has two methods called ${method.name.value}; rename one`;
      reader.problems.add(source.at(method.name.loc), message);
    } else if (read !== undefined) methods.push(read);
  }
  if (syntax.functions.length === 0) report(`${name} has no method`);
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
    reader.problems.add(position, `a oneway method (${name}) is not supported yet; it must return its answer`);
  }
  const errorId = readThrows(reader, scope, syntax);
  const returned = readRows(reader.resolve(scope, syntax.returnType));
  if (returned === undefined) {
    const what = 'a method returns a struct, or a list of structs';
    reader.problems.add(
      source.at(syntax.returnType.loc),
      `${name} returns something that is not supported yet; ${what}`,
    );
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
      const message = `the argument ${field.name.value} is not supported yet; a method takes a struct or a list of structs, and a parley.RequestContext`;
      reader.problems.add(position, message);
    } else if (row !== 'unknown') rows.push({ ...row, field });
  }
  const [first, second] = rows;
  if (second !== undefined) {
    const message = `${syntax.name.value} takes a second struct (${second.field.name.value}), which is not supported yet; put all fields into one`;
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
