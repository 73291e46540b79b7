/**
 * The SHA-256 of a contract's meaning.
 *
 * Taken of canonical JSON of what the services reach: names, ids, types, annotations, defaults, methods and acceptance
 * bounds, keys and declarations sorted. Comments, spacing, places, file names, namespaces, the order of declarations
 * and how a bound's number is written are not part of it.
 */
import { createHash } from 'node:crypto';
import {
  type AcceptBound,
  type ContractEnum,
  type ContractMethod,
  type ContractService,
  comparePaths,
  type InputField,
  type OutputField,
} from './contract.js';

/** @returns lowercase hex, 64 characters */
export function fingerprintOf(services: readonly ContractService[]): string {
  return createHash('sha256')
    .update(canonicalJson(services.map(serviceMeaning).sort(byName)))
    .digest('hex');
}

/** JSON with sorted keys; undefined members are left out. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (inner === null || typeof inner !== 'object' || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => compare(a, b)));
  });
}

function serviceMeaning({ name, model, methods, accept, changes }: ContractService) {
  const bounds = accept.bounds.map(boundMeaning).sort((a, b) => byName(a, b) || byText(a, b));
  return {
    name,
    model,
    methods: methods.map(methodMeaning).sort(byName),
    accept: {
      bounds,
      baseline: accept.baseline,
      confidence: accept.confidence,
      minFixtures: accept.minFixtures,
      guards: [...accept.guards].sort(compare),
    },
    changes,
  };
}

/** In a slice, the order of conditions means nothing. */
function boundMeaning({ metric, argument, slice, relativeTo, comparison, bound }: AcceptBound) {
  return { name: metric, argument, slice: slice && [...slice].sort(byText), relativeTo, comparison, bound };
}

function methodMeaning({ name, many, argument, request, contextId, response, errorId }: ContractMethod) {
  return {
    name,
    many,
    argument,
    contextId,
    errorId,
    request: {
      name: request.name,
      fields: [...request.fields].sort(byPath).map(inputMeaning),
      unions: request.unions && [...request.unions].sort(byPath),
    },
    response: { name: response.name, fields: response.fields.map(outputMeaning).sort(byId) },
  };
}

/** The path stands in it only where there is more of it than the id. */
function inputMeaning({ position: _, enum: choices, tensor, path, ...meaning }: InputField) {
  return {
    ...meaning,
    path: path.length > 1 ? path : undefined,
    enum: choices && enumMeaning(choices),
    tensor: tensor && { ...tensor, keyEnum: tensor.keyEnum && enumMeaning(tensor.keyEnum) },
  };
}

function outputMeaning({ position: _, enum: choices, ...meaning }: OutputField) {
  return { ...meaning, enum: choices && enumMeaning(choices) };
}

function enumMeaning({ name, members }: ContractEnum) {
  return { name, members: [...members].sort((a, b) => a.value - b.value) };
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return compare(a.name, b.name);
}

function byPath(a: { readonly path: readonly number[] }, b: { readonly path: readonly number[] }): number {
  return comparePaths(a.path, b.path);
}

function byText(a: unknown, b: unknown): number {
  return compare(canonicalJson(a), canonicalJson(b));
}

function byId(a: { readonly id: number }, b: { readonly id: number }): number {
  return a.id - b.id;
}

/** By code units, the same on every machine. */
function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
