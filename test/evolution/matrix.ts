/** Old and new clients at old and new servers: what a change of the contract comes to on the wire. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'chai';
import { breaksCallers } from '#parley/contract/change.js';
import { CHANGE_RULES, type ChangeKind } from '#parley/contract/change-rules.js';
import { compareContracts } from '#parley/contract/compare.js';
import type { Contract } from '#parley/contract/contract.js';
import { parseContract } from '#parley/contract/parse.js';
import { readIdl } from '#parley/contract/read-idl.js';
import { changedText, type NamedChange, type Outcome, PENGUINS, ROW, type Row } from './changes.js';
import { callerOf, type Job, type Language, type Seen } from './stubs.js';
import { EvolutionWorld, servedName } from './world.js';

const OLD = 0;

/** Defines the tests of these changes in each language. */
export function evolutionMatrix(languages: readonly Language[], changes: readonly NamedChange[]): void {
  describe("a contract's change", function () {
    this.timeout(300_000);
    const texts = [PENGUINS, ...changes.map(changedText)];
    let folder: string;
    let world: EvolutionWorld;

    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'parley-evolution-'));
      world = await EvolutionWorld.open();
      for (const [number, text] of texts.entries()) await world.serve(text, number);
    });
    after(async () => {
      await world.close();
      rmSync(folder, { recursive: true, force: true });
    });

    for (const language of languages) {
      describe(`as clients of ${language} see it`, () => {
        let seen: ReadonlyMap<string, Seen>;
        before(async function () {
          const jobs = jobsOf(texts, changes);
          const outcomes = await callerOf(this, language, folder, texts)(world.address, [...jobs.values()]);
          seen = new Map([...jobs.keys()].map((key, index) => [key, outcomes[index]!]));
        });
        for (const [index, change] of changes.entries()) itIsSeen(change, index + 1, () => seen);
      });
    }
  });
}

function itIsSeen(change: NamedChange, number: number, seen: () => ReadonlyMap<string, Seen>): void {
  const [ofOld, ofNew] = change.seen ?? ['same', 'same'];
  it(`${change.name}: an old client at the new server sees ${ofOld}, a new one at the old ${ofNew}`, () => {
    expect(outcomeOf(seen(), number, 'old'), 'old client, new server').to.be.oneOf(allowed(ofOld));
    expect(outcomeOf(seen(), number, 'new'), 'new client, old server').to.be.oneOf(allowed(ofNew));
    expectNoSilence(change);
  });
}

/** Where no byte shows a change, an answer may be right or wrong. */
const allowed = (outcome: Outcome): readonly string[] => (outcome === 'unseen' ? ['same', 'other'] : [outcome]);

/** What nobody is refused for is told by the comparison, as something that no byte shows. */
function expectNoSilence({ edits, seen = ['same', 'same'] }: NamedChange): void {
  const [before, after] = [PENGUINS, changedText({ edits })].map((idl) =>
    parseContract({ file: 'penguins.thrift', idl }),
  );
  const found = compareContracts(before!, after!);
  expect(breaksCallers(found)).to.equal(seen.some((outcome) => outcome !== 'same'));
  if (seen.includes('unseen')) {
    expect(found.some(({ kind }) => CHANGE_RULES[kind as ChangeKind].unseen)).to.equal(true);
  }
}

/** For each change: both clients, at the other server and at their own. */
function jobsOf(texts: readonly string[], changes: readonly NamedChange[]): ReadonlyMap<string, Job> {
  const contracts = texts.map((idl) => parseContract({ file: 'penguins.thrift', idl }));
  const jobs = new Map<string, Job>();
  for (const [index, { row = {}, newRow = row }] of changes.entries()) {
    const number = index + 1;
    jobs.set(`${number} old`, jobOf(contracts, OLD, number, row));
    jobs.set(`${number} old at its own`, jobOf(contracts, OLD, OLD, row));
    jobs.set(`${number} new`, jobOf(contracts, number, OLD, newRow));
    jobs.set(`${number} new at its own`, jobOf(contracts, number, number, newRow));
  }
  return jobs;
}

/** @param client and @param server numbers of contracts */
function jobOf(contracts: readonly Contract[], client: number, server: number, row: Row): Job {
  const own = contracts[client]!.services[0]!;
  const others = own.methods.filter(({ name }) => name !== 'identify_many');
  const method = others.find(({ name }) => name === 'identify') ?? others[0];
  const struct = readIdl(contracts[client]!).structs.get('Penguin')!;
  const values = struct.fields.flatMap(({ name, type }) => {
    const value = { ...ROW, ...row }[name];
    if (value === undefined) return [];
    return [[name, type.kind === 'base' && type.name === 'string' ? String(value) : value] as const];
  });
  return {
    contract: client,
    service: own.name,
    served: servedName(own.name, server),
    method: method?.name ?? 'identify',
    many: method?.many ?? false,
    row: Object.fromEntries(values),
  };
}

function outcomeOf(seen: ReadonlyMap<string, Seen>, number: number, client: 'old' | 'new'): string {
  const { answer, error, source } = seen.get(`${number} ${client}`)!;
  if (source !== undefined) return 'source';
  if (error !== undefined) {
    expectClear(error);
    return 'refused';
  }
  const own = seen.get(`${number} ${client} at its own`)!.answer;
  if (own === undefined)
    throw new Error(`its own server refuses it: ${JSON.stringify(seen.get(`${number} ${client} at its own`))}`);
  const species = answer!.species as { name: string | null } | undefined;
  if (species?.name === null) return 'unnamed';
  if (Object.keys(own).some((name) => answer![name] === undefined)) return 'absent';
  return isDeepStrictEqual(rounded(answer!, own), rounded(own, answer!)) ? 'same' : 'other';
}

/** A code and a path from Parley; or an exception of Thrift's own that names what is unknown. */
function expectClear({ name, code, message, problems }: NonNullable<Seen['error']>): void {
  expect(message).to.match(/\w/);
  if (code !== null && /ParleyError/.test(name)) expect(problems[0]?.path ?? '', message).to.match(/\w/);
}

/** To six digits; of fields and classes only those that are in the other answer too. */
function rounded(value: unknown, other: unknown): unknown {
  if (typeof value === 'number') return Number(value.toPrecision(6));
  if (value === null || typeof value !== 'object') return value;
  const twin = (other ?? {}) as Readonly<Record<string, unknown>>;
  const shared = Object.entries(value).filter(([key]) => twin[key] !== undefined);
  return Object.fromEntries(shared.map(([key, each]) => [key, rounded(each, twin[key])]));
}
