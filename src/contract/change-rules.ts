/**
 * Every kind of difference, whom it breaks, and why: the one table, from which docs/contract-changes.md is made.
 *
 * `C` callers, `M` models, `S` source, `V` touches what a verdict says. `unseen`: one way at least, bytes do not show it,
 * so that nobody is refused, and only the comparison tells.
 */
import type { Breaks, ContractChange } from './change.js';
import type { Position } from './contract.js';

export interface ChangeRule {
  readonly area: 'requests' | 'answers' | 'types' | 'enums' | 'methods' | 'values' | 'acceptance' | 'names';
  readonly breaks: readonly Breaks[];
  readonly touchesVerdict: boolean;
  readonly unseen: boolean;
  readonly what: string;
  readonly why: string;
}

/** @param marks of C, M, S, V and `unseen`, with spaces between */
function rule(area: ChangeRule['area'], marks: string, what: string, why: string): ChangeRule {
  const has = (mark: string) => marks.split(' ').includes(mark);
  const breaks: Breaks[] = [];
  if (has('C')) breaks.push('callers');
  if (has('M')) breaks.push('models');
  if (has('S')) breaks.push('source');
  return { area, breaks, touchesVerdict: has('V'), unseen: has('unseen'), what, why };
}

export const CHANGE_RULES = {
  // ------------------------------------------------------------------ structs, of requests and in general
  'field-removed': rule(
    'requests',
    'C M S V unseen',
    'a field is gone',
    'what callers send in it is no longer looked at, and code that names it does not compile',
  ),
  'field-added': rule(
    'requests',
    'M V',
    'a field is new that may be missing',
    'callers that do not know it leave it out, which it allows; a model must take it',
  ),
  'field-added-refused': rule(
    'requests',
    'C M V',
    'a field is new that may not be missing',
    'callers that do not know it are refused with INVALID_INPUT',
  ),
  'field-added-unfed': rule(
    'requests',
    '',
    'a field is new that no model is fed',
    'callers that do not know it leave it out, and no model sees it',
  ),
  'id-changed': rule(
    'requests',
    'C',
    'a field has another id',
    'stubs of the one send and look for it where stubs of the other do not',
  ),
  'field-renamed': rule(
    'requests',
    'M S V',
    'a field has another name under its id',
    'the wire knows the id only; models are bound and code is written by the name. Another quantity needs a new id: under the old one, values of old callers would be taken for it',
  ),
  'became-required': rule(
    'types',
    'C S',
    'a field became required',
    'stubs refuse to read a struct without it, which others write',
  ),
  'became-optional': rule(
    'types',
    'C S',
    'a field is no longer required',
    'stubs of the old file refuse to read a struct without it',
  ),
  'requiredness-changed': rule(
    'types',
    'S',
    'a field changed between required, optional and neither, without being refused for it',
    'stubs declare it otherwise (a pointer, a value, a flag); what may be missing, `missing` says',
  ),
  'required-field-added': rule(
    'types',
    'C',
    'a required field is new',
    'stubs of the new file refuse to read what those of the old one write',
  ),
  'default-changed': rule(
    'values',
    'C M V',
    'a default is another value',
    'who leaves the field out means another value from now on',
  ),
  'initial-value-changed': rule(
    'values',
    'S',
    'the default of a required field is another value',
    'the field is always sent, so that no reader fills it in; what code does not set has another value',
  ),
  'type-changed': rule(
    'types',
    'C M S V',
    'a type is another',
    'the value is not understood: one side skips it, or reads something else',
  ),
  'type-respelled': rule(
    'types',
    'S',
    'a type is another of the same bytes',
    'the wire does not change; code that uses it does',
  ),
  'type-renamed': rule(
    'types',
    'S',
    'a struct or an enum has another name',
    'the wire knows no names of types; code that uses it does not compile',
  ),
  'struct-kind-changed': rule(
    'types',
    'C M S V',
    'a struct, a union or an exception became another of these',
    'the bytes look alike, but a union holds exactly one of its members',
  ),
  'union-member-added': rule(
    'types',
    'M V',
    'a union of requests has another member',
    'callers that do not know it never send it; models must take it',
  ),
  'answer-union-member-added': rule(
    'types',
    'C',
    'a union that is answered has another member',
    'callers that do not know it read an empty union, which their stubs refuse',
  ),
  'struct-removed': rule(
    'types',
    'S',
    'a struct is gone that no method of the new file needs',
    'code that uses it does not compile',
  ),
  'struct-added': rule('types', '', 'a struct is new', 'nobody knew it'),

  // ------------------------------------------------------------------ answers
  'answer-field-removed': rule(
    'answers',
    'C S V',
    'a field of an answer is gone',
    'callers find nothing where something was promised',
  ),
  'answer-field-added': rule(
    'answers',
    '',
    'a field of an answer is new that no model fills',
    'stubs skip what they do not know',
  ),
  'answer-added': rule(
    'answers',
    'M V',
    'a field of an answer is new that the model must fill',
    'stubs skip what they do not know; a model that does not give it cannot be bound',
  ),
  'answer-field-renamed': rule(
    'answers',
    'S',
    'a field of an answer has another name under its id',
    'the wire knows the id only, and models are bound by role; code is written by the name',
  ),
  'answer-role-changed': rule(
    'answers',
    'C M V unseen',
    "an answer's field is about something else",
    'callers read another number under the same name',
  ),

  // ------------------------------------------------------------------ enums
  'enum-value-removed': rule(
    'enums',
    'C M S V unseen',
    'a value of an enum is gone',
    'who sends it is refused, and who meets it does not know it',
  ),
  'enum-value-added': rule(
    'enums',
    'M V',
    'an enum of requests has another value',
    'callers that do not know it never send it; models were not tested with it',
  ),
  'answer-enum-value-added': rule(
    'enums',
    'C M V',
    'an enum that is answered has another value',
    'callers that do not know it get a number that means nothing to them (null in Java, an unnamed number elsewhere)',
  ),
  'enum-value-renumbered': rule(
    'enums',
    'C unseen',
    'a value of an enum has another number',
    'callers send and read the old number, which means nothing now, or another value',
  ),
  'enum-value-renamed': rule(
    'enums',
    'S',
    'a number of an enum has another name',
    'the wire knows the number only; code that names it does not compile',
  ),
  'label-renamed': rule(
    'enums',
    'M V',
    'a value of an enum has another label',
    'stubs know numbers and names only; graphs, fixtures and training data are matched by the label',
  ),
  'label-moved': rule(
    'enums',
    'C M V unseen',
    'a label belongs to another number',
    'callers take the one class for the other, and nothing on the wire shows it',
  ),
  'positive-moved': rule(
    'enums',
    'C M V unseen',
    'another value of an enum is the positive one',
    'precision, recall and the probability of the positive class are about another class',
  ),
  'enum-zero-added': rule(
    'enums',
    '',
    'an enum has a value 0',
    'it is what an unset field reads as, and never a choice',
  ),
  'enum-zero-removed': rule(
    'enums',
    'S',
    "an enum's value 0 is gone",
    'it was never a choice; code that names it does not compile',
  ),
  'enum-removed': rule('enums', 'S', 'an enum is gone', 'code that uses it does not compile'),
  'enum-added': rule('enums', '', 'an enum is new', 'nobody knew it'),

  // ------------------------------------------------------------------ services and methods
  'service-removed': rule('methods', 'C S', 'a service is gone', 'callers of it are refused with an unknown service'),
  'service-renamed': rule(
    'methods',
    'C S',
    'a service has another name',
    'it is called by its name: callers of the old one are refused',
  ),
  'service-added': rule('methods', '', 'a service is new', 'nobody called it'),
  'inheritance-changed': rule(
    'methods',
    'S',
    'a service extends another one than before',
    'its methods are compared as they are, inherited or not; classes of stubs have another base',
  ),
  'method-removed': rule('methods', 'C S', 'a method is gone', 'callers of it are refused with an unknown method'),
  'method-added': rule('methods', '', 'a method is new, of structs that were there', 'nobody called it'),
  'question-added': rule(
    'methods',
    'M V',
    'a method is new, with structs of its own',
    'nobody called it; models must be bound to it, and were not tested with it',
  ),
  'return-changed': rule(
    'methods',
    'C S V',
    'a method returns another type',
    'callers skip the answer or cannot read it',
  ),
  'oneway-changed': rule(
    'methods',
    'C S',
    'a method became oneway, or is no longer',
    'one side waits for an answer that the other does not send, or finds one that it did not wait for',
  ),
  'argument-removed': rule('methods', 'C S', 'an argument is gone', 'what callers send in it is no longer looked at'),
  'argument-added': rule(
    'methods',
    'S',
    'an argument is new',
    'callers that do not know it leave it out, which Thrift allows; code that calls the method needs it',
  ),
  'argument-id-changed': rule(
    'methods',
    'C',
    'an argument has another id',
    'stubs of the one send it where stubs of the other do not look',
  ),
  'argument-type-changed': rule('methods', 'C S', 'an argument is of another type', 'the value is not understood'),
  'argument-renamed': rule(
    'methods',
    'S',
    'an argument has another name',
    'the wire knows the id only; code that names arguments (Python) does not run',
  ),
  'exception-removed': rule(
    'methods',
    'C S',
    'an exception is no longer declared',
    'callers that expect it get an error without code and problems, and code that catches it may not compile',
  ),
  'exception-added': rule(
    'methods',
    'C S',
    'an exception is new',
    'callers that do not know it read an answer without a result; Java must catch it',
  ),
  'exception-changed': rule(
    'methods',
    'C S',
    'an exception has another id or type',
    'callers do not find it and read an answer without a result',
  ),
  'exception-renamed': rule('methods', 'S', "an exception's field has another name", 'the wire knows the id only'),

  // ------------------------------------------------------------------ values
  'range-narrowed': rule(
    'values',
    'C',
    'a range is narrower',
    'callers are refused values that they were promised; what is still taken was tested',
  ),
  'range-widened': rule(
    'values',
    'M V',
    'a range is wider',
    'callers lose nothing; models were tested within the old one',
  ),
  'values-removed': rule(
    'values',
    'C',
    'values are no longer taken',
    'callers are refused values that they were promised',
  ),
  'values-added': rule(
    'values',
    'M V',
    'more values are taken',
    'callers lose nothing; models were not tested with them',
  ),
  'values-reordered': rule('values', '', 'values stand in another order', 'a model knows them by name'),
  'pattern-added': rule(
    'values',
    'C',
    'a string must match a pattern',
    'callers are refused values that they were promised',
  ),
  'pattern-removed': rule(
    'values',
    'M V',
    'a string need not match a pattern',
    'callers lose nothing; models were tested within it',
  ),
  'pattern-changed': rule(
    'values',
    'C M V',
    'a string must match another pattern',
    'no machine says which of two patterns takes less: callers may be refused, models meet what was not tested',
  ),
  'max-bytes-lowered': rule(
    'values',
    'C',
    'a string may be less long',
    'callers are refused values that they were promised',
  ),
  'max-bytes-raised': rule(
    'values',
    'M V',
    'a string may be longer',
    'callers lose nothing; models were tested within the old length',
  ),
  'missing-refused': rule(
    'values',
    'C',
    'a field may no longer be missing',
    'callers that leave it out are refused with INVALID_INPUT',
  ),
  'missing-allowed': rule(
    'values',
    'M V',
    'a field may be missing',
    'callers lose nothing; models were not tested without it',
  ),
  'missing-changed': rule(
    'values',
    'C M V unseen',
    'a missing value means something else',
    'who leaves the field out gets another answer',
  ),
  'unit-changed': rule(
    'values',
    'C M V unseen',
    'a number is in another unit',
    'the bytes stay the same and mean another quantity: wrong answers in silence',
  ),
  'unit-added': rule(
    'values',
    '',
    'a unit is written that was not',
    'it says what was meant; the wire does not see it',
  ),
  'unit-removed': rule(
    'values',
    '',
    'a unit is no longer written',
    'the wire does not see it; people and messages miss it',
  ),
  'role-changed': rule(
    'values',
    'C M V unseen',
    "a request's field is for something else",
    'what callers send in it is used in another way, or not at all',
  ),
  'sensitive-changed': rule(
    'values',
    '',
    'a field became sensitive, or is no longer',
    'logs and pages show or hide it; callers and models see no difference',
  ),
  'shape-changed': rule(
    'values',
    'C M V',
    'many values have another shape',
    'callers are refused the old number of values',
  ),
  'shape-loosened': rule(
    'values',
    'M V',
    'many values may be of any number',
    'callers lose nothing; models were tested with one number of them',
  ),
  'keys-changed': rule(
    'values',
    'C M V',
    "a map's keys are others",
    'callers are refused the old ones, or lack new ones',
  ),
  'data-type-changed': rule(
    'values',
    'C M V',
    'raw elements are of another type',
    'the bytes are read as other numbers, or are too many or too few',
  ),
  'encoding-removed': rule(
    'values',
    'C',
    "a picture's encoding is no longer taken",
    'callers that send it are refused',
  ),
  'encoding-added': rule(
    'values',
    '',
    "a picture's encoding is taken too",
    'it is decoded to the same pixels before a model sees it',
  ),

  // ------------------------------------------------------------------ acceptance
  'model-renamed': rule(
    'acceptance',
    'C M V unseen',
    'a service is answered by a model of another name',
    'who asks by the name is refused, and versions, aliases and verdicts stay behind under the old one',
  ),
  'accept-added': rule(
    'acceptance',
    'M V',
    'a bound is new',
    'callers are promised more; versions were not measured against it',
  ),
  'accept-tightened': rule(
    'acceptance',
    'M V',
    'a bound asks for more',
    'callers are promised more; versions may not keep it',
  ),
  'accept-loosened': rule(
    'acceptance',
    'C unseen',
    'a bound asks for less',
    'callers were promised better; what was accepted stays accepted',
  ),
  'accept-removed': rule(
    'acceptance',
    'C unseen',
    'a bound is gone',
    'callers were promised it; what was accepted stays accepted',
  ),
  'baseline-changed': rule('acceptance', 'M V', 'a baseline is new or another', 'versions were not compared with it'),
  'baseline-removed': rule('acceptance', 'C unseen', 'a baseline is gone', 'callers were promised better than it'),
  'agreement-changed': rule(
    'acceptance',
    '',
    'the next contract needs the agreement of a second one, or no longer does',
    'it is about contracts to come',
  ),
  'guards-added': rule(
    'acceptance',
    '',
    'more aliases are guarded',
    'only accepted versions may have them from now on',
  ),
  'guards-removed': rule(
    'acceptance',
    'C unseen',
    'fewer aliases are guarded',
    'who asks for such an alias was promised accepted versions',
  ),

  // ------------------------------------------------------------------ names that only code sees
  'namespace-changed': rule('names', 'S', 'a namespace is another', 'code imports the stubs by it'),
  'typedef-removed': rule('names', 'S', 'a typedef is gone', 'code that uses it does not compile'),
  'typedef-changed': rule(
    'names',
    'S',
    'a typedef stands for another type',
    'fields of it are told on their own; code that uses it means another type',
  ),
  'constant-removed': rule('names', 'S', 'a constant is gone', 'code that uses it does not compile'),
  'constant-changed': rule('names', 'S', 'a constant is another value', 'code that uses it means another value'),
} as const satisfies Record<string, ChangeRule>;

export type ChangeKind = keyof typeof CHANGE_RULES;

export function change(kind: ChangeKind, path: string, message: string, position?: Position): ContractChange {
  const { breaks, why, touchesVerdict } = CHANGE_RULES[kind];
  return { path, kind, message, why, breaks, touchesVerdict, ...(position === undefined ? {} : { position }) };
}
