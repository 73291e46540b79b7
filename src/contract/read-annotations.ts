/** Annotations of one field, member or service: each key once, known here, and its value of the right kind. */
import type { Annotations, TextLocation } from '@creditkarma/thrift-parser';
import { type AnnotationPlace, annotationKeys, FOREIGN_ANNOTATION, isNumberedBound, placesOf } from './annotations.js';
import type { Position } from './contract.js';
import { didYouMean, nearest } from './nearest.js';
import type { Problems } from './problems.js';
import type { SourceText } from './syntax.js';

export interface AnnotationValue {
  readonly key: string;
  /** Undefined where only the key stands. */
  readonly value: string | undefined;
  readonly position: Position;
  readonly valuePosition: Position;
}

/** The annotations behind one thing; the readers report what does not fit and return undefined. */
export class AnnotationSet {
  readonly #values = new Map<string, AnnotationValue>();
  readonly #problems: Problems;

  constructor(source: SourceText, annotations: Annotations | undefined, place: AnnotationPlace, problems: Problems) {
    this.#problems = problems;
    for (const { name, value } of annotations?.annotations ?? []) {
      const position = source.at(name.loc);
      const earlier = this.#values.get(name.value);
      if (earlier !== undefined) {
        const first = `${earlier.position.line}:${earlier.position.column}`;
        problems.add(position, `the annotation ${name.value} is given twice, first at ${first}; keep one`);
      } else if (isKnown(name.value, place, position, problems)) {
        this.#values.set(name.value, {
          key: name.value,
          value: value === undefined ? undefined : source.literal(value.loc as TextLocation),
          position,
          valuePosition: source.at(value?.loc ?? name.loc),
        });
      }
    }
  }

  get(key: string): AnnotationValue | undefined {
    return this.#values.get(key);
  }

  /** Those whose key starts with `prefix`, in order of appearance. */
  under(prefix: string): readonly AnnotationValue[] {
    return [...this.#values.values()].filter((annotation) => annotation.key.startsWith(prefix));
  }

  report(annotation: AnnotationValue, message: string): undefined {
    this.#problems.add(annotation.valuePosition, message, annotation.value);
    return undefined;
  }

  text(key: string): string | undefined {
    const annotation = this.#values.get(key);
    if (annotation === undefined) return undefined;
    if (annotation.value !== undefined && annotation.value.trim() !== '') return annotation.value;
    return this.report(annotation, `${key} needs a value: ${key} = "…"`);
  }

  number(key: string): number | undefined {
    const text = this.text(key);
    if (text === undefined) return undefined;
    const number = parseNumber(text);
    return number ?? this.report(this.#values.get(key)!, `${key} must be a number, not "${text}"`);
  }

  /** The key alone means yes, as in Thrift. */
  flag(key: string): boolean {
    const annotation = this.#values.get(key);
    if (annotation === undefined) return false;
    if (annotation.value === undefined || annotation.value === 'true') return true;
    if (annotation.value !== 'false') this.report(annotation, `${key} must be "true" or "false"`);
    return false;
  }

  choice<Choice extends string>(key: string, choices: readonly Choice[]): Choice | undefined {
    const text = this.text(key)?.trim();
    if (text === undefined) return undefined;
    const found = choices.find((choice) => choice === text);
    if (found !== undefined) return found;
    const message = `${key} must be one of ${choices.join(', ')}, not "${text}"${didYouMean(text, choices)}`;
    return this.report(this.#values.get(key)!, message);
  }

  /** Comma-separated, trimmed; empty and repeated items are reported. */
  list(key: string): readonly string[] | undefined {
    const text = this.text(key);
    if (text === undefined) return undefined;
    const annotation = this.#values.get(key)!;
    const items = text.split(',').map((item) => item.trim());
    if (items.includes('')) return this.report(annotation, `${key} has an empty item; separate items by one comma`);
    const repeated = items.find((item, index) => items.indexOf(item) < index);
    if (repeated !== undefined) return this.report(annotation, `${key} names "${repeated}" twice; keep one`);
    return items;
  }
}

/** A decimal number, finite; no hexadecimal, no white space inside. */
export function parseNumber(text: string): number | undefined {
  if (!/^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/.test(text)) return undefined;
  const number = Number(text);
  return Number.isFinite(number) ? number : undefined;
}

/** Reports annotations where none has a meaning: structs, methods, arguments. */
export function refuseAnnotations(
  source: SourceText,
  annotations: Annotations | undefined,
  what: string,
  problems: Problems,
): void {
  for (const { name } of annotations?.annotations ?? []) {
    if (FOREIGN_ANNOTATION.test(name.value)) continue;
    const places = placesOf(name.value);
    const where = places.length === 0 ? '' : `; it belongs on ${places.map(withArticle).join(' or ')}`;
    problems.add(source.at(name.loc), `the annotation ${name.value} means nothing on ${what}${where}`);
  }
}

function isKnown(key: string, place: AnnotationPlace, position: Position, problems: Problems): boolean {
  const keys = annotationKeys(place);
  if (keys.includes(key) || (place === 'service' && isNumberedBound(key))) return true;
  if (FOREIGN_ANNOTATION.test(key)) return false;
  const places = placesOf(key);
  if (places.length > 0) {
    const where = places.map(withArticle).join(' or ');
    problems.add(position, `the annotation ${key} belongs on ${where}, not on ${withArticle(place)}`);
    return false;
  }
  const what = key.startsWith('accept.') ? `metric ${key.slice('accept.'.length)}` : `annotation ${key}`;
  const choices = key.startsWith('accept.') ? keys.filter((known) => known.startsWith('accept.')) : keys;
  const near = nearest(key, keys);
  const hint = near === undefined ? `; known here: ${choices.join(', ')}` : `; did you mean "${near}"?`;
  problems.add(position, `there is no ${what}${hint}`);
  return false;
}

function withArticle(place: AnnotationPlace): string {
  return place === 'enum member' ? 'an enum member' : `a ${place}`;
}
