/** Annotations of one field, member or service: each key once, known here, and its value of the right kind. */
import type { Annotations, TextLocation } from '@creditkarma/thrift-parser';
import { type AnnotationPlace, annotationKeys, FOREIGN_ANNOTATION, isNumberedBound, placesOf } from './annotations.js';
import type { Position } from './contract.js';
import { didYouMean, nearest } from './nearest.js';
import type { Problems } from './problems.js';
import type { InheritedAnnotations } from './resolve.js';
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

  /** @param inherited of the field's typedefs, the nearest first: each key counts where nothing before it has said it */
  constructor(
    source: SourceText,
    annotations: Annotations | undefined,
    place: AnnotationPlace,
    problems: Problems,
    inherited: readonly InheritedAnnotations[] = [],
  ) {
    this.#problems = problems;
    this.#add(source, annotations, (key, position) => isKnown(key, place, position, problems));
    for (const { source: from, annotations: more } of inherited)
      this.#add(from, more, (key, position) => {
        const fields = placesOf(key).some((other) => other === 'request field' || other === 'response field');
        return placesOf(key).includes(place) || (!fields && isKnown(key, place, position, problems));
      });
  }

  /** Those of one thing: a key twice is reported, one that was there before stays as it is. */
  #add(
    source: SourceText,
    annotations: Annotations | undefined,
    isWanted: (key: string, position: Position) => boolean,
  ): void {
    const own = new Map<string, Position>();
    for (const { name, value } of annotations?.annotations ?? []) {
      const key = name.value;
      const position = source.at(name.loc);
      const earlier = own.get(key);
      if (earlier !== undefined) {
        const first = `${earlier.line}:${earlier.column}`;
        this.#problems.add(position, `the annotation ${key} is given twice, first at ${first}; keep one`);
      } else if (isWanted(key, position)) {
        own.set(key, position);
        if (this.#values.has(key)) continue;
        const text = value === undefined ? undefined : source.literal(value.loc as TextLocation);
        this.#values.set(key, { key, value: text, position, valuePosition: source.at(value?.loc ?? name.loc) });
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

  /** Reports every annotation but these. */
  refuseOthers(allowed: readonly string[], message: (key: string) => string): void {
    for (const annotation of this.#values.values())
      if (!allowed.includes(annotation.key)) this.#problems.add(annotation.position, message(annotation.key));
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

  /** From 1 to `most`. */
  count(key: string, most: number): number | undefined {
    const number = this.number(key);
    if (number === undefined || (Number.isInteger(number) && number >= 1 && number <= most)) return number;
    return this.report(this.#values.get(key)!, `${key} must be a whole number from 1 to ${most}`);
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
