/**
 * A Thrift file, read as a contract.
 *
 * All that is wrong is found in one go and thrown as one INVALID_INPUT, whose problems say file, line and column; the
 * message holds the first of them. A contract that comes out keeps every rule that the other modules rely on.
 */
import type { Contract, ContractService } from './contract.js';
import { fingerprintOf } from './fingerprint.js';
import { Problems } from './problems.js';
import { isBaseOnly, readService } from './read-service.js';
import { Reader } from './reader.js';
import { openScope } from './scope.js';

export interface ContractSource {
  /** As messages name it. */
  readonly file: string;
  readonly idl: string;
  /** File name -> text of every included file but parley.thrift, which is always there. */
  readonly includes?: Readonly<Record<string, string>>;
}

/** @throws INVALID_INPUT with everything that is wrong */
export function parseContract({ file, idl, includes = {} }: ContractSource): Contract {
  const problems = new Problems();
  const { scope, used } = openScope(file, idl, includes, problems);
  problems.raise();
  const reader = new Reader(problems);
  const services = scope.services
    .filter((syntax) => !isBaseOnly(scope, syntax))
    .map((syntax) => readService(reader, scope, syntax));
  checkModels(services, file, problems);
  problems.raise();
  const { model } = services[0]!;
  const fingerprint = fingerprintOf(services);
  return { model, fingerprint, file, idl, includes: Object.fromEntries(used), enums: reader.enums, services };
}

function checkModels(services: readonly ContractService[], file: string, problems: Problems): void {
  if (services.length === 0) {
    const message = 'there is no service; a contract has one with (model = "…") after its closing brace';
    problems.add({ file, line: 1, column: 1 }, message);
    return;
  }
  const named = services.filter((service) => service.model !== '');
  for (const service of named) {
    if (service.model === named[0]!.model) continue;
    const message = `${service.name} names the model "${service.model}", and ${named[0]!.name} "${named[0]!.model}"; one file is about one model`;
    problems.add(service.position, message);
  }
}
