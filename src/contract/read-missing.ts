/** What a missing value means, read: refused, allowed, a default, or a number that stands for it. */
import { type ConstValue, type FieldDefinition, SyntaxType } from '@creditkarma/thrift-parser';
import { problemOf } from './check.js';
import type { InputField, Missing } from './contract.js';
import { didYouMean } from './nearest.js';
import { type AnnotationSet, type AnnotationValue, parseNumber } from './read-annotations.js';
import { article, described } from './read-type.js';
import type { Reader } from './reader.js';
import { lookUpValue } from './resolve.js';
import type { Scope } from './scope.js';
import { ELEMENT_RANGES, INTEGER_RANGES, MAX_FLOAT32 } from './value.js';

const WORDS = ['refused', 'allowed', 'default'] as const;

/** From one constant to the next. */
const MOST_CONSTANTS = 100;

type Written = (typeof WORDS)[number] | { readonly standsFor: number };

/** `refused` unless the annotation or a value after the equals sign says otherwise; what no model sees may be absent. */
export function readMissing(
  reader: Reader,
  scope: Scope,
  syntax: FieldDefinition,
  field: InputField,
  annotations: AnnotationSet,
): Missing {
  const annotation = annotations.get('missing');
  const written = annotation === undefined ? undefined : readWritten(annotations, annotation, field);
  const said = `missing = "${annotation?.value}"`;
  if (syntax.requiredness === 'required' && written !== undefined && written !== 'refused') {
    annotations.report(annotation!, `a required field cannot have ${said}; write optional`);
  }
  if (field.tensor?.encodings !== undefined && field.role === 'feature' && written === 'allowed') {
    annotations.report(annotation!, 'a picture cannot be missing: there are no pixels that say so');
  }
  if (syntax.defaultValue === null) {
    if (written === 'default') {
      annotations.report(annotation!, `missing = "default" needs a value after the name: ${field.name} = …`);
    }
    if (typeof written === 'object') return { kind: 'default', value: written.standsFor };
    return written === 'allowed' || written === 'refused' ? { kind: written } : field.missing;
  }
  if (written !== undefined && written !== 'default') {
    annotations.report(annotation!, `${said} contradicts the default value; drop one of them`);
  }
  const value = readDefault(reader, scope, syntax.defaultValue, field);
  return value === undefined ? field.missing : { kind: 'default', value };
}

function readWritten(annotations: AnnotationSet, annotation: AnnotationValue, field: InputField): Written | undefined {
  const text = annotations.text('missing')?.trim();
  if (text === undefined) return undefined;
  const word = WORDS.find((candidate) => candidate === text);
  if (word !== undefined) return word;
  const isNumber = field.type !== 'string' && field.type !== 'enum' && field.tensor?.encodings === undefined;
  const number = isNumber ? parseNumber(text) : undefined;
  if (number === undefined) {
    const orNumber = isNumber ? ', or a number that stands for a missing one' : '';
    const message = `missing must be one of ${WORDS.join(', ')}${orNumber}; not "${text}"${didYouMean(text, WORDS)}`;
    return annotations.report(annotation, message);
  }
  const wrong = wrongStandIn(field, number);
  return wrong === undefined ? { standsFor: number } : annotations.report(annotation, wrong);
}

/** It need not keep the field's bounds, but its type must hold it. */
function wrongStandIn({ type, tensor }: InputField, value: number): string | undefined {
  const dataType = tensor?.dataType;
  const name = dataType ?? type;
  const range = dataType === undefined ? INTEGER_RANGES[type] : ELEMENT_RANGES[dataType];
  const most = dataType === 'float32' ? MAX_FLOAT32 : Number.MAX_VALUE;
  const [low, high] = range ?? (name === 'bool' ? [-1, 2] : [-most, most]);
  const isWhole = range !== undefined || name === 'bool';
  if ((!isWhole || Number.isInteger(value)) && value >= low && value <= high) return undefined;
  return `missing = "${value}" must fit into ${name === 'bool' ? 'a bool, or be -1 or 2' : name}`;
}

function readDefault(reader: Reader, scope: Scope, syntax: ConstValue, field: InputField): number | string | undefined {
  const position = scope.source.at(syntax.loc);
  const refuse = (message: string) => {
    reader.problems.add(position, `the default of ${field.name} ${message}`);
    return undefined;
  };
  if (field.tensor !== undefined) {
    const isPicture = field.tensor.encodings !== undefined;
    const instead = isPicture || field.type === 'string' ? '' : ', or missing = "0" for each value that is missing';
    return refuse(`is one of ${described(field)}, which has none; write missing = "refused"${instead}`);
  }
  const value = evaluate(scope, syntax, field, new Set());
  if (value === undefined) return refuse(`is not ${article(field.type)}`);
  if (value === '') return refuse('is empty, which means missing; write missing = "allowed"');
  const problem = problemOf(field, value, field.name);
  return problem === undefined ? value : refuse(problem.message);
}

/** A constant expression as a value of the field's kind: booleans as 0 and 1, enum members as their labels. */
function evaluate(
  scope: Scope,
  syntax: ConstValue,
  field: InputField,
  seen: Set<ConstValue>,
): number | string | undefined {
  if (seen.has(syntax) || seen.size >= MOST_CONSTANTS) return undefined;
  seen.add(syntax);
  switch (syntax.type) {
    case SyntaxType.StringLiteral:
      return field.type === 'string' ? scope.source.literal(syntax.loc) : undefined;
    case SyntaxType.BooleanLiteral:
      return field.type === 'bool' ? Number(syntax.value) : undefined;
    case SyntaxType.DoubleConstant:
      return field.type === 'double' ? parseNumber(syntax.value.value) : undefined;
    case SyntaxType.IntConstant: {
      const number = Number(syntax.value.value);
      if (field.type !== 'enum') return field.type === 'string' ? undefined : number;
      return field.enum?.members.find((member) => member.value === number && number !== 0)?.label;
    }
    case SyntaxType.Identifier: {
      const found = lookUpValue(scope, syntax.value);
      if (found === undefined) return undefined;
      if ('constant' in found) return evaluate(found.scope, found.constant.initializer, field, seen);
      if (found.enum.name.value !== field.enum?.name) return undefined;
      return field.enum.members.find((member) => member.name === found.member && member.value !== 0)?.label;
    }
    default:
      return undefined;
  }
}
