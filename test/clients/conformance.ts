/** The one suite that a client in every language passes: generated stubs against a real server, held to the trainer. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { ERROR_CODES } from '#parley/errors.js';
import { summing } from '../serving/models.js';
import { skip } from '../skip.js';
import { type ClientLine, expectClose, labelled, labelOf, likeliest, type Probe } from './answers.js';
import { PenguinsServer } from './server.js';
import { makeCertificate } from './tls.js';
import { type TrainerAnswers, trainerAnswers } from './trainer.js';

const BUILD_TIMEOUT_MS = 600_000;
/** Of one program. */
const RUN_TIMEOUT_MS = 60_000;
const UNKNOWN_METHOD = 1;
/** 2020 to 2100, in microseconds: an i64 that lost its upper half is not in it. */
const PLAUSIBLE_TIME: readonly [number, number] = [1_577_836_800_000_000, 4_102_444_800_000_000];

export interface Wire {
  readonly title: string;
  readonly tls: boolean;
  /** As clients and probes take them. */
  readonly words: readonly string[];
}

/** Protocols, names, and whether the server speaks TLS and asks for a token. */
export const WIRES: readonly Wire[] = [false, true].flatMap((tls) =>
  ['binary', 'compact'].flatMap((protocol) =>
    ['plain', 'multiplexed'].map((names) => ({
      title: `by the ${protocol} protocol and ${names} names${tls ? ', over TLS with a token' : ''}`,
      tls,
      words: [protocol, names].filter((word) => word !== 'binary' && word !== 'plain'),
    })),
  ),
);

/** A command line, to which arguments are added. */
export type Command = readonly [program: string, ...args: string[]];

export interface ClientPrograms {
  /** The example's client. */
  readonly client: Command;
  /** The language's probe, which takes an address, a file of rows, a graph and the model to publish it as. */
  readonly probe: Command;
}

const execute = promisify(execFile);

async function output(command: Command, ...args: string[]): Promise<string> {
  const [program, ...first] = command;
  const { stdout } = await execute(program, [...first, ...args], { maxBuffer: 64 << 20, timeout: RUN_TIMEOUT_MS });
  return stdout;
}

/** Codes are numbers or names, as stubs show enums. */
const isCode = (code: number | string, name: keyof typeof ERROR_CODES): boolean =>
  code === name || code === ERROR_CODES[name].number;

/** What the probes publish: the sum of a, b and 1. */
const PUBLISHED = summing(['a', 'b'], 1).graph;

const linesOf = (text: string): string[] => text.split('\n').filter(Boolean);

/**
 * @param prepare makes the stubs and builds the programs into a temporary folder, or skips for want of a toolchain
 * @param wires the ways to speak; all there are when absent
 */
export function clientConformance(
  language: string,
  prepare: (context: Mocha.Context, folder: string) => ClientPrograms | Promise<ClientPrograms>,
  wires: readonly Wire[] = WIRES,
): void {
  describe(`a client in ${language}`, () => {
    let folder: string;
    let programs: ClientPrograms;
    let server: PenguinsServer | undefined;
    let trainer: TrainerAnswers;
    /** Measured penguins first: the table's, then the fixtures. */
    let rows: string;
    let measuredRows: string;
    let graph: string;
    /** A server of the same models that speaks TLS, and the authority of its certificate; undefined where none can be made. */
    let guarded: { readonly address: string; readonly token: string; readonly authority: string } | undefined;

    before(async function () {
      this.timeout(BUILD_TIMEOUT_MS);
      folder = mkdtempSync(join(tmpdir(), 'parley-client-'));
      programs = await prepare(this, folder);
      server = await PenguinsServer.start();
      trainer = await trainerAnswers();
      const measured = [...trainer.table, ...trainer.fixtures].map(({ row }) => row);
      measuredRows = write('measured.jsonl', measured);
      rows = write('rows.jsonl', [...measured, ...trainer.unmeasured]);
      graph = join(folder, 'graph.onnx');
      writeFileSync(graph, PUBLISHED);
      const certificate = makeCertificate(folder);
      guarded = certificate && { ...(await server.guarded(certificate)), authority: certificate.authority };
    });
    after(async () => {
      await server?.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    function write(name: string, values: readonly object[]): string {
      const path = join(folder, name);
      writeFileSync(path, values.map((value) => `${JSON.stringify(value)}\n`).join(''));
      return path;
    }

    const truths = () => [...trainer.table, ...trainer.fixtures];

    it('meets the version that the same rows, configuration and seed make again', () => {
      expect(trainer.version).to.equal(server!.version);
      expect([trainer.table.length, trainer.fixtures.length, trainer.unmeasured.length]).to.deep.equal([269, 73, 2]);
    });

    it('shows an answer, several, and a refusal with its problems', async function () {
      this.timeout(RUN_TIMEOUT_MS);
      const text = await output(programs.client, server!.address);
      const says = `says penguins ${server!.version.slice(0, 12)}, prediction \\S+`;
      expect(text).to.match(
        new RegExp(
          [
            `^identify: ADELIE \\(0\\.\\d{4}\\), ${says}`,
            `identify_many: CHINSTRAP \\(0\\.\\d{4}\\), ${says}`,
            `identify_many: GENTOO \\(0\\.\\d{4}\\), ${says}`,
            'refused: INVALID_INPUT, retryable: false',
            '  penguin\\.bill_length_mm must be between 20 and 80 mm, got 4650\\s*$',
          ].join('\\s*\\n'),
        ),
      );
    });

    it('is answered by a server that guards itself when it shows a token, and trusts no other authority', async function () {
      this.timeout(2 * RUN_TIMEOUT_MS);
      if (guarded === undefined) skip(this, 'openssl is not there');
      const { address, token, authority } = guarded;
      const ask = (...args: string[]) => output(programs.client, address, ...args).catch((error: unknown) => error);
      expect(await ask('--ca', authority, '--token', token)).to.include('identify: ADELIE');
      for (const args of [
        ['--ca', authority],
        ['--ca', authority, '--token', `${token.slice(0, -1)}-`],
        ['--ca', makeCertificate(folder, 'other')!.authority, '--token', token],
        ['--token', token],
      ])
        expect(await ask(...args), args.join(' ')).to.be.instanceOf(Error);
    });

    for (const { title, tls, words } of wires) {
      describe(title, () => {
        let lines: readonly ClientLine[];
        let probe: Probe;
        let model: string;
        before(async function () {
          this.timeout(2 * RUN_TIMEOUT_MS);
          if (tls && guarded === undefined) skip(this, 'openssl is not there');
          const { address, authority, token } = tls ? guarded! : { ...server!, authority: '', token: '' };
          const shown = tls ? ['--ca', authority, '--token', token] : [];
          const printed = await output(programs.client, address, ...words, ...shown, '--rows', rows);
          lines = linesOf(printed).map((line) => JSON.parse(line));
          model = `probe-${randomBytes(4).toString('hex')}`;
          const more = tls ? [...words, `ca=${authority}`, `token=${token}`] : words;
          probe = JSON.parse(await output(programs.probe, address, measuredRows, graph, model, ...more));
        });

        it('answers every penguin of the table and of the fixtures as the trainer does', () => {
          expect(lines).to.have.lengthOf(344);
          for (const [i, { row, probabilities }] of truths().entries()) {
            const what = `row ${i}: ${JSON.stringify(row)}`;
            expect(lines[i].error, what).to.equal(undefined);
            expectClose(labelled(lines[i].probabilities!), probabilities, what);
            expect(labelOf(lines[i].label!), what).to.equal(likeliest(probabilities));
            expect(lines[i].version, what).to.equal(server!.version);
          }
        });

        it('gives every answer an id of its own', () => {
          const ids = lines.flatMap(({ prediction_id }) => prediction_id ?? []);
          ids.push(...probe.many.map(({ provenance }) => provenance.prediction_id));
          ids.push(probe.predicted.provenance.prediction_id);
          expect(ids).to.have.lengthOf(2 * 342 + 1);
          expect(new Set(ids)).to.have.property('size', ids.length);
        });

        it('refuses the penguins that were never measured, and says what is missing', () => {
          const measures = ['bill_length_mm', 'bill_depth_mm', 'flipper_length_mm', 'body_mass_g'];
          for (const { error } of lines.slice(342)) {
            expect(error?.code).to.equal('INVALID_INPUT');
            expect(error?.problems.map(({ path }) => path)).to.deep.equal(measures.map((name) => `penguin.${name}`));
          }
        });

        it('answers many penguins as it answers each', () => {
          expect(probe.many).to.have.lengthOf(342);
          for (const [i, { species, confidence, probability, provenance }] of probe.many.entries()) {
            expectClose(labelled(probability), labelled(lines[i].probabilities!), `row ${i}`);
            expect(labelOf(species), `row ${i}`).to.equal(labelOf(lines[i].label!));
            expect(confidence, `row ${i}`).to.equal(Math.max(...Object.values(probability)));
            expect(provenance).to.include({
              model: 'penguins',
              version: server!.version,
              alias_name: 'production',
            });
          }
        });

        it('answers tensors as it answers rows', () => {
          const { outputs, provenance } = probe.predicted;
          expect(provenance.version).to.equal(server!.version);
          const [label, probabilities] = outputs;
          expect([label.name, label.shape]).to.deep.equal(['label', [342]]);
          expect(label.strings).to.deep.equal(truths().map((truth) => likeliest(truth.probabilities)));
          expect([probabilities.name, probabilities.shape]).to.deep.equal(['probabilities', [342, 3]]);
          const bytes = Buffer.from(probabilities.data!, 'base64');
          expect(bytes).to.have.lengthOf(342 * 3 * 4);
          for (const [i, truth] of truths().entries()) {
            const answers = trainer.classes.map((name, k) => [name, bytes.readFloatLE((i * 3 + k) * 4)]);
            expectClose(Object.fromEntries(answers), truth.probabilities, `row ${i}`);
          }
        });

        it('describes what it takes and answers', () => {
          const { inputs, outputs, version } = probe.described;
          expect(version).to.equal(server!.version);
          expect(inputs.map(({ name }) => name)).to.have.members(
            'bill_length_mm bill_depth_mm flipper_length_mm body_mass_g island sex'.split(' '),
          );
          expect(inputs.map(({ shape }) => shape)).to.deep.equal(inputs.map(() => [-1, 1]));
          expect(outputs.map(({ name, shape }) => [name, shape])).to.deep.equal([
            ['label', [-1]],
            ['probabilities', [-1, 3]],
          ]);
        });

        it('gets a refusal as a ParleyError, with where and why and the id of the call', () => {
          const { typed, code, retryable, problems, request_id } = probe.refused;
          expect({ typed, retryable, request_id }).to.deep.equal({
            typed: true,
            retryable: false,
            request_id: 'probe',
          });
          expect(code).to.be.oneOf(['INVALID_INPUT', ERROR_CODES.INVALID_INPUT.number]);
          expect(problems).to.deep.equal([
            { path: 'penguins[1].bill_length_mm', message: 'must be between 20 and 80 mm', got: '4650' },
          ]);
        });

        it("gets the generic services' refusals as ParleyErrors too", () => {
          const { typed, code, message, request_id } = probe.not_found;
          expect({ typed, request_id }).to.deep.equal({ typed: true, request_id: 'probe' });
          expect(code).to.be.oneOf(['NOT_FOUND', ERROR_CODES.NOT_FOUND.number]);
          expect(message).to.include('walruses');
        });

        it('gets UNKNOWN_METHOD for a method that is not there, and calls on over the same connection', () => {
          const { type, name, message, after } = probe.unknown;
          expect({ type, name }).to.deep.equal({ type: UNKNOWN_METHOD, name: 'TApplicationException' });
          expect(message).to.include('guess').and.to.include('Penguins');
          expect(after.ready).to.equal(true);
        });

        it('decodes the versions', () => {
          expect(probe.versions.versions).to.have.lengthOf(1);
          const [version] = probe.versions.versions;
          expect(version).to.deep.include({
            model: 'penguins',
            version: server!.version,
            model_type: 'tabular-classifier',
            accepted: true,
            aliases: ['production'],
          });
          expect(version.size_bytes).to.be.within(1_000, 100_000);
          expect(version.published_at).to.be.within(...PLAUSIBLE_TIME);
          expect(version.metrics['test.recall']).to.be.within(0.95, 1);
        });

        it('decodes the history, newest first', () => {
          const { entries } = probe.history;
          expect(entries.map(({ action }) => action)).to.deep.equal(['promote', 'accept', 'publish', 'contract']);
          expect(entries.map(({ sequence }) => sequence)).to.deep.equal([4, 3, 2, 1]);
          expect(entries[0]).to.deep.include({ alias_name: 'production', version: server!.version });
          for (const { at } of entries) expect(at).to.be.within(...PLAUSIBLE_TIME);
        });

        it('decodes a ping', () => {
          expect(probe.ping).to.deep.include({ ready: true, store_connected: true });
          expect(probe.ping.server_version).to.match(/^\d+\.\d+\.\d+/);
          expect(probe.ping.services).to.include.members(['Prediction', 'Registry', 'Operations', 'Penguins']);
        });

        it('reads the contract', () => {
          const { idl, fingerprint } = probe.contract;
          expect(idl).to.include('service Penguins {').and.include('(min = "20", max = "80")');
          expect(fingerprint).to.match(/^[0-9a-f]{64}$/);
        });

        it('publishes a graph by an upload', () => {
          const { begun, part, published } = probe.registry;
          expect(begun.part_bytes).to.be.at.least(PUBLISHED.length);
          expect(Number(part.received_bytes)).to.equal(PUBLISHED.length);
          expect(published.version).to.deep.include({
            model,
            model_type: 'tensor',
            description: 'by a probe',
            metrics: { 'test.mae': 0.25 },
          });
          expect(published.version.version).to.match(/^[0-9a-f]{64}$/);
        });

        it('promotes it, and holds the alias against another promotion until it is released', () => {
          const { published, promoted, held, aliases, conflict, released } = probe.registry;
          const { version } = published.version;
          const alias = { alias_name: 'candidate', version };
          expect(promoted.entry).to.deep.include({ ...alias, action: 'promote', reason: 'why not' });
          expect(held.entry).to.deep.include({ action: 'hold', alias_name: 'candidate' });
          expect(aliases.aliases).to.have.lengthOf(1);
          expect(aliases.aliases[0]).to.deep.include({ ...alias, held: true });
          expect(conflict).to.include({ typed: true, request_id: 'probe' });
          expect(isCode(conflict.code, 'CONFLICT'), String(conflict.code)).to.equal(true);
          expect(conflict.message).to.include('probing');
          expect(released.entry).to.deep.include({ action: 'release', alias_name: 'candidate' });
          expect(probe.registry.history.entries.map(({ action }) => action)).to.deep.equal([
            'release',
            'hold',
            'promote',
            'publish',
          ]);
        });

        it('asks the version that it has published', () => {
          const { predicted, published } = probe.registry;
          expect(predicted.provenance).to.deep.include({ model, version: published.version.version });
          expect(predicted.outputs).to.have.lengthOf(1);
          const [{ name, shape, data }] = predicted.outputs;
          expect([name, shape]).to.deep.equal(['value', [1, 1]]);
          expect(Buffer.from(data!, 'base64').readFloatLE(0)).to.equal(4.5);
        });

        it('finds nothing to prune, since an alias leads there', () => {
          expect(probe.registry.pruned.removed ?? []).to.deep.equal([]);
        });

        it('is told by the services that do not do anything yet', () => {
          for (const refused of [probe.no_runs, probe.no_labels]) {
            expect(refused).to.include({ typed: true, request_id: 'probe', retryable: false });
            expect(isCode(refused.code, 'UNSUPPORTED'), String(refused.code)).to.equal(true);
          }
        });
      });
    }
  });
}
