/** What is different between two contracts. */
import type { ContractChange } from './change.js';
import type { Contract, RequestStruct } from './contract.js';

/** @returns every difference, in the old contract's order */
export function compareContracts(before: Contract, after: Contract): readonly ContractChange[] {
  return before.services.flatMap((service) => {
    const other = after.services.find(({ name }) => name === service.name);
    return service.methods.flatMap((method) => {
      const same = other?.methods.find(({ name }) => name === method.name);
      return same === undefined
        ? [removed(`${service.name}.${method.name}`, 'method')]
        : requestChanges(method.request, same.request);
    });
  });
}

function requestChanges(before: RequestStruct, after: RequestStruct): ContractChange[] {
  return before.fields.flatMap((field) => {
    const same = after.fields.find(({ id }) => id === field.id);
    return same === undefined ? [removed(`${before.name}.${field.name}`, 'field')] : [];
  });
}

const removed = (path: string, what: 'field' | 'method'): ContractChange => ({
  path,
  kind: `${what}-removed`,
  message: `the ${what} was removed`,
  why: 'callers that use it are refused',
  breaks: ['callers', 'models', 'source'],
  touchesVerdict: true,
});
