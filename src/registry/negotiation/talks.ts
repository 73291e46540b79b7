/** Whether a caller and a server can talk: the caller's own text against the contracts that the server answers. Pure. */
import { breaking, breaksCallers, type ContractChange } from '../../contract/change.js';
import { compareContracts } from '../../contract/compare.js';
import type { Contract } from '../../contract/contract.js';
import { didYouMean } from '../../contract/nearest.js';
import { type ContractSource, parseContract } from '../../contract/parse.js';
import { invalidInput } from '../../errors.js';

/** Differences that a caller is told; of more, those that break callers come first. */
const MOST_DIFFERENCES = 1_000;

export interface TalksQuestion {
  /** What the caller was compiled with. */
  readonly callers: ContractSource;
  /** The only service that is asked about; absent: all that the caller's file has. */
  readonly service?: string;
  /** Contracts that the server answers and the caller may see. */
  readonly served: readonly ContractSource[];
}

export interface TalksAnswer {
  /** Of the caller's text. */
  readonly fingerprint: string;
  /** The contract of `served` that it was compared with; absent where none has a service of the caller's. */
  readonly served?: number;
  /** False where a difference breaks callers. */
  readonly compatible: boolean;
  /** From the caller's text to what the server answers, at most a thousand. */
  readonly differences: readonly ContractChange[];
}

/** @throws ParleyError INVALID_INPUT for a caller's text that is no contract, by file, line and column */
export function talk({ callers, service, served }: TalksQuestion): TalksAnswer {
  const theirs = parseContract(callers);
  checkService(theirs, service);
  const names = service === undefined ? theirs.services.map(({ name }) => name) : [service];
  const ours = served.map(parseContract);
  const place = ours.findIndex((contract) => contract.services.some(({ name }) => names.includes(name)));
  const others = theirs.services.flatMap(({ name }) => (names.includes(name) ? [] : [name]));
  const differences =
    place < 0
      ? names.map(unserved)
      : compareContracts(theirs, ours[place]!).filter(({ path }) => !others.includes(serviceIn(path)));
  return {
    fingerprint: theirs.fingerprint,
    ...(place < 0 ? {} : { served: place }),
    compatible: !breaksCallers(differences),
    differences: atMost(MOST_DIFFERENCES, differences),
  };
}

function atMost(most: number, differences: readonly ContractChange[]): readonly ContractChange[] {
  if (differences.length <= most) return differences;
  const worst = new Set(breaking(differences, ['callers']));
  return [...worst, ...differences.filter((each) => !worst.has(each))].slice(0, most);
}

function checkService({ file, services }: Contract, name: string | undefined): void {
  const names = services.map((service) => service.name);
  if (name === undefined || names.includes(name)) return;
  throw invalidInput(
    `${file} has no service "${name}"${didYouMean(name, names)}; it has ${names.join(', ')}. Name one of those, or none`,
    { problems: [{ path: 'request.service_name', message: 'must be a service of request.idl', got: name }] },
  );
}

/** The service, or whatever else it is, that a difference's path begins with: `Penguins.identify`, `Penguins accept.recall`. */
const serviceIn = (path: string): string => path.split(/[ .]/, 1)[0]!;

const unserved = (name: string): ContractChange => ({
  path: name,
  kind: 'service-removed',
  message: 'this server answers no such service',
  why: 'its methods are unknown here',
  breaks: ['callers'],
  touchesVerdict: false,
});
