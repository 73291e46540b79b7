/** A project: its contract and parley.yaml, read, checked and joined. Nothing of the source is opened yet. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Contract, ContractService, OutputField, RequestStruct, ResponseStruct } from '../contract/contract.js';
import { didYouMean } from '../contract/nearest.js';
import { type ErrorDetails, invalidInput, notFound } from '../errors.js';
import type { FeaturesConfiguration } from '../features/configuration.js';
import type { SourceKind, Trainer } from '../model/training-port.js';
import { type Asked, readChecks } from '../registry/acceptance/checks-file.js';
import { fixturesFormat } from '../sources/fixtures.js';
import { sources } from '../sources/table.js';
import { trainers } from '../trainers/table.js';
import { checkValues } from './check-values.js';
import { type ProjectConfiguration, projectConfiguration } from './configuration.js';
import { readContract } from './contract-file.js';
import { readYaml } from './yaml-file.js';

export const PROJECT_FILE = 'parley.yaml';

export type Task = 'classification' | 'regression';

export interface Project {
  readonly name: string;
  /** Absolute; what relative paths start at. */
  readonly folder: string;
  readonly contract: Contract;
  readonly service: ContractService;
  readonly request: RequestStruct;
  readonly response: ResponseStruct;
  /** What the response answers: one of the classes, or a number. */
  readonly task: Task;
  /** The response's field that the truth is about: of role `label` or `value`. */
  readonly answer: OutputField;
  readonly source: { readonly kind: SourceKind; readonly configuration: unknown };
  /** The source's column that holds the truth. */
  readonly label: string;
  /** Contract field -> source's column, where the names differ. */
  readonly columns: Readonly<Record<string, string>>;
  readonly fixtures?: {
    /** Where they are, for messages. */
    readonly shownAs: string;
    readonly kind: SourceKind;
    readonly configuration: unknown;
    /** What relative paths start at: that of the file. */
    readonly folder: string;
  };
  /** The text of checks.yaml, which fits the contract. */
  readonly checks?: string;
  readonly split: ProjectConfiguration['split'];
  readonly features: FeaturesConfiguration;
  readonly trainer: { readonly trainer: Trainer; readonly parameters: unknown };
  readonly seed: number;
  /** All of parley.yaml with every default, as plain JSON. */
  readonly resolved: Readonly<Record<string, unknown>>;
}

const DEFAULT_TRAINERS: Readonly<Record<Task, string>> = {
  classification: 'logistic-regression',
  regression: 'ridge',
};
const MODEL_TYPES: Readonly<Record<Task, Trainer['modelType']>> = {
  classification: 'tabular-classifier',
  regression: 'tabular-regressor',
};

/**
 * @param overrides dotted key of parley.yaml -> value, as YAML: `{'trainer.max_iterations': '200'}`
 * @throws NOT_FOUND for a file that is not there; INVALID_INPUT for what is wrong in one, and where
 */
export async function loadProject(folder: string, overrides: Readonly<Record<string, string>> = {}): Promise<Project> {
  const root = resolve(folder);
  const configuration = checkValues(
    projectConfiguration,
    readYaml(join(root, PROJECT_FILE), PROJECT_FILE, overrides),
    PROJECT_FILE,
  );
  const contract = readContract(resolve(root, configuration.contract));
  const service = chooseService(contract, configuration.service);
  const { request, response } = service.methods[0];
  const { task, answer } = taskOf(service, response);
  const source = chooseSource(configuration.source);
  const trainer = chooseTrainer(configuration, task);
  checkColumns(configuration, request, answer);
  const fixtures = findFixtures(configuration.fixtures, root);
  const checks = findChecks(configuration, root, service.methods[0]);
  const { name, label, columns, split, features, seed } = configuration;
  const parts = { name, folder: root, contract, service, request, response, task, answer, source, label, columns };
  const resolved = {
    ...configuration,
    service: service.name,
    source: { kind: source.kind.kind, ...asObject(source.configuration) },
    trainer: { name: trainer.trainer.name, ...asObject(trainer.parameters) },
  };
  const suite = {
    ...(fixtures === undefined ? {} : { fixtures }),
    ...(checks === undefined ? {} : { checks }),
  };
  return { ...parts, ...suite, split, features, trainer, seed, resolved };
}

function chooseService(contract: Contract, name: string | undefined): ContractService {
  const names = contract.services.map((service) => service.name);
  if (name === undefined && contract.services.length > 1)
    throw wrong('service', `is missing; ${contract.file} has several: ${names.join(', ')}. Name one`);
  const found = contract.services.find((service) => name === undefined || service.name === name);
  if (found !== undefined) return found;
  throw wrong('service', `${contract.file} has no such service${hint(name, names)}; it has ${names.join(', ')}`, name);
}

function taskOf(service: ContractService, response: ResponseStruct): { task: Task; answer: OutputField } {
  const label = response.fields.find((field) => field.role === 'label');
  if (label !== undefined) return { task: 'classification', answer: label };
  const value = response.fields.find((field) => field.role === 'value');
  if (value !== undefined) return { task: 'regression', answer: value };
  throw wrong(
    'service',
    `${service.name} answers ${response.name}, which has no field of role label or value to train for`,
  );
}

/** @param key of parley.yaml, under which it stands */
function chooseSource(source: ProjectConfiguration['source'], key = 'source'): Project['source'] {
  const { kind: name, ...options } = source;
  const kind = Object.hasOwn(sources, name) ? sources[name] : undefined;
  const names = Object.keys(sources);
  if (kind === undefined)
    throw wrong(`${key}.kind`, `there is no such kind${hint(name, names)}; expected one of ${names.join(', ')}`, name);
  return { kind, configuration: checkValues(kind.configuration, options, PROJECT_FILE, [key], ['kind']) };
}

function chooseTrainer(configuration: ProjectConfiguration, task: Task): Project['trainer'] {
  const { name = DEFAULT_TRAINERS[task], ...options } = configuration.trainer;
  const names = Object.keys(trainers).filter((key) => trainers[key].modelType === MODEL_TYPES[task]);
  const trainer = Object.hasOwn(trainers, name) ? trainers[name] : undefined;
  if (trainer === undefined)
    throw wrong(
      'trainer.name',
      `there is no such trainer${hint(name, names)}; expected one of ${names.join(', ')}`,
      name,
    );
  if (trainer.modelType !== MODEL_TYPES[task])
    throw wrong(
      'trainer.name',
      `"${name}" does not do ${task}, which the contract asks for; ${names.join(', ')} do`,
      name,
    );
  return { trainer, parameters: checkValues(trainer.parameters, options, PROJECT_FILE, ['trainer'], ['name']) };
}

function checkColumns({ columns, label }: ProjectConfiguration, request: RequestStruct, answer: OutputField): void {
  const names = request.fields.filter((field) => field.role === 'feature').map((field) => field.name);
  for (const field of Object.keys(columns)) {
    if (names.includes(field)) continue;
    const about = field === answer.name ? '; the column of the truth is what "label" says' : hint(field, names);
    throw wrong(`columns.${field}`, `${request.name} has no such field${about}; it has ${names.join(', ')}`, field);
  }
  const leaking = names.find((name) => (columns[name] ?? name) === label);
  if (leaking !== undefined)
    throw wrong('label', `the column "${label}" is the field "${leaking}" too; the truth cannot be an input`, label);
}

/** A path may lead out of the project, so that several share the same fixtures. */
function findFixtures(fixtures: ProjectConfiguration['fixtures'], root: string): Project['fixtures'] {
  if (fixtures === undefined) return undefined;
  if (typeof fixtures !== 'string') {
    const { kind, configuration } = chooseSource(fixtures, 'fixtures');
    const { path } = asObject(configuration) as { readonly path?: string };
    const file = path === undefined ? root : resolve(root, path);
    return {
      shownAs: `"fixtures" of ${PROJECT_FILE}`,
      kind,
      configuration: { ...asObject(configuration), path: file },
      folder: dirname(file),
    };
  }
  const file = resolve(root, fixtures);
  const kind = sources[fixturesFormat(file)]!;
  if (existsSync(file))
    return { shownAs: file, kind, configuration: kind.configuration.parse({ path: file }), folder: dirname(file) };
  throw notFound(`${PROJECT_FILE}: fixtures: no file "${file}"; make it, or take the key out until there is one`);
}

function findChecks({ checks, fixtures }: ProjectConfiguration, root: string, asked: Asked): string | undefined {
  if (checks === undefined) return undefined;
  if (fixtures === undefined) throw wrong('checks', 'are run on fixtures; give fixtures too', checks);
  const file = resolve(root, checks);
  if (!existsSync(file))
    throw notFound(`${PROJECT_FILE}: checks: no file "${file}"; make it, or take the key out until there is one`);
  const text = readFileSync(file, 'utf8');
  readChecks(text, asked, checks);
  return text;
}

function wrong(key: string, message: string, got?: string): Error {
  const path = `${PROJECT_FILE}: ${key}`;
  const details: ErrorDetails = { problems: [{ path, message, ...(got === undefined ? {} : { got }) }] };
  return invalidInput(`${path}: ${message}${got === undefined ? '' : `; got "${got}"`}`, details);
}

const hint = (word: string | undefined, candidates: readonly string[]) => didYouMean(word ?? '', candidates);

/** What a strict object's schema has made. */
const asObject = (value: unknown): object => (typeof value === 'object' && value !== null ? value : {});
