/** `parley bench` against a running server, as a user runs it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { TlsFiles } from '../security/tls-files.js';
import { Place, type Server } from './parley.js';
import { PENGUIN, useTrained } from './trained.js';

interface Report {
  readonly method: string;
  readonly protocol: string;
  readonly rows: number;
  readonly rate?: number;
  readonly interrupted: boolean;
  readonly answered: number;
  readonly perSecond: number;
  readonly rowsPerSecond: number;
  readonly errors: Record<string, number>;
  readonly versions: Record<string, number>;
  readonly latency: { readonly count: number; readonly p50Us: number; readonly p999Us: number; readonly maxUs: number };
  readonly buckets: readonly (readonly [number, number, number])[];
  readonly generatorBusy: number;
}

describe('parley bench', function () {
  this.timeout(120_000);
  const trained = useTrained();
  let place: Place;
  let server: Server;
  before(async () => {
    place = new Place(trained().folder);
    server = await place.serve();
  });
  after(() => place?.leave());
  const BRIEF = ['--duration', '400ms', '--warm-up', '100ms'];

  it('asks the typed service and Prediction.predict, in both protocols, one row or many, and is answered each time', async () => {
    const bench = (...args: string[]) =>
      place.json<Report>('bench', 'penguins', '--server', server.address, ...BRIEF, ...args);
    const cases: [string[], Partial<Report>][] = [
      [[], { method: 'Penguins:identify', protocol: 'binary', rows: 1 }],
      [['--rows', '5', '--protocol', 'compact'], { method: 'Penguins:identify_many', protocol: 'compact', rows: 5 }],
      [['--method', 'predict', '--rows', '3'], { method: 'Prediction.predict', rows: 3 }],
      [['--reference', trained().good, '--protocol', 'compact'], { method: 'Prediction.predict' }],
      [['--rate', '200', '--timeout-ms', '5000'], { method: 'Penguins:identify', rate: 200 }],
    ];
    const answered = async ([args, told]: [string[], Partial<Report>]) => {
      const report = await bench(...args);
      expect(report, args.join(' ')).to.deep.include(told);
      expect(report.errors).to.deep.equal({});
      expect(report.versions).to.deep.equal({ [trained().good]: report.latency.count });
      expect(report.latency.count).to.be.above(0);
      expect(report.latency.p999Us).to.be.within(report.latency.p50Us, report.latency.maxUs);
      expect(report.buckets.reduce((sum, [, , count]) => sum + count, 0)).to.equal(report.latency.count);
      expect(report.rowsPerSecond).to.be.closeTo(report.perSecond * report.rows, 1e-6);
      expect(report.generatorBusy).to.be.above(0);
    };
    await Promise.all(cases.map(answered));
  });

  it('reaches a server over TLS with a certificate and a token of its own, by each kind of call', async () => {
    const files = new TlsFiles();
    try {
      const ca = files.authority('ca'),
        server = files.issue('server'),
        client = files.issue('client'),
        tokens = files.path('tokens.yaml');
      const token = (await place.output('token', 'create', '--role', 'predict', '--tokens', tokens)).trim();
      const shown = ['--tls-cert', server.cert, '--tls-key', server.key, '--tls-client-ca', ca, '--tokens', tokens];
      const { address } = await place.serve(...shown);
      const how = ['--token', token, '--tls-ca', ca, '--tls-cert', client.cert, '--tls-key', client.key];
      const kinds = [[], ['--method', 'predict', '--rows', '3'], ['--protocol', 'compact', '--rate', '200']];
      for (const kind of kinds) {
        const report = await place.json<Report>('bench', 'penguins', '--server', address, ...BRIEF, ...how, ...kind);
        expect(report.errors).to.deep.equal({});
        expect(report.versions).to.deep.equal({ [trained().good]: report.latency.count });
        expect(report.latency.count).to.be.above(10);
      }
      const stranger = await place.run('bench', 'penguins', '--server', address, ...BRIEF, ...how.slice(2));
      expect(stranger.stderr).to.match(/error UNAUTHENTICATED/);
      const bench = ['bench', 'penguins', '--server', address, ...BRIEF, '--token', token];
      const refused = async (args: string[], why: string) => expect((await place.run(...args)).stderr).to.include(why);
      await Promise.all([
        refused(bench, 'as those do that take TLS only (--tls)'),
        refused([...bench, '--tls-ca', ca], 'it serves only callers who show a certificate'),
        refused([...bench, '--tls'], 'with --tls-ca FILE'),
      ]);
    } finally {
      files.remove();
    }
  });

  it('prints figures and a histogram', async () => {
    const text = await place.output('bench', 'penguins', '--server', server.address, ...BRIEF);
    expect(text).to.match(/^penguins at 127\.0\.0\.1:\d+: Penguins:identify, binary, closed loop: 8 connections/);
    expect(text).to.match(/^latency {5}p50 .+, p90 .+, p99 .+, p99\.9 .+, max .+$/m);
    expect(text).to.match(/^errors {6}none$/m);
    expect(text).to.include(`versions    ${trained().good.slice(0, 12)} 100 %`);
    expect(text).to.match(/^ *< .+ [µm]?s {2}[█▏▎▍▌▋▊▉]+.* +100 %$/m);
    const json = await place.output('bench', 'penguins', '--server', server.address, ...BRIEF, '--json');
    expect(json).to.match(/^ {4}\[[\d.]+, [\d.]+, \d+\]$/m);
  });

  it('sends the rows of a file, and says what is wrong with them before it sends any', async () => {
    const file = (name: string, row: object) => {
      const path = join(place.root, name);
      writeFileSync(path, `${JSON.stringify(row)}\n`);
      return path;
    };
    const args = ['bench', 'penguins', '--server', server.address, ...BRIEF, '--data'];
    const report = await place.json<Report>(...args, file('good.jsonl', PENGUIN));
    expect(report.errors).to.deep.equal({});
    const wrong = await place.run(...args, file('wrong.jsonl', { ...PENGUIN, bill_length_mm: 500 }));
    expect(wrong.code).to.equal(1);
    expect(wrong.stderr).to.include('row 1: bill_length_mm: must be between 20 and 80');
    const absent = await place.run(...args, 'nowhere.csv');
    expect(absent.code).to.equal(1);
    expect(absent.stderr).to.match(/error INVALID_INPUT: --data nowhere\.csv/);
  });

  it('says so where there is no server, no such model, no such method or nothing that could be sent', async () => {
    const at = ['--server', server.address];
    const cases: [string[], RegExp][] = [
      [['penguins', '--server', '127.0.0.1:1'], /STORE_UNAVAILABLE: no Parley server can be reached at 127\.0\.0\.1:1/],
      [['pinguins', ...at], /NOT_FOUND: there is no model "pinguins"/],
      [['penguins', '--method', 'identfy', ...at], /--method identfy: .* \(did you mean "identify"\?\)/],
      [['penguins', '--method', 'identify', '--rows', '2', ...at], /--rows 2: Penguins:identify takes one row a call/],
      [['penguins', '--method', 'identify', '--reference', 'x', ...at], /NOT_FOUND: model "penguins" has/],
      [['penguins', '--rate', '0', ...at], /Write a number above 0/],
      [['penguins', '--duration', 'long', ...at], /Write a time such as 10, 10s, 2m or 500ms/],
    ];
    const refused = async ([args, message]: [string[], RegExp]) => {
      const { code, stderr, stdout } = await place.run('bench', ...args);
      expect(code, args.join(' ')).to.be.within(1, 2);
      expect(stderr).to.match(message);
      expect(stdout).to.equal('');
    };
    await Promise.all(cases.map(refused));
  });

  it('tells what was measured until Ctrl-C', async () => {
    const command = place.start([
      'bench',
      'penguins',
      '--server',
      server.address,
      '--duration',
      '60s',
      '--warm-up',
      '50ms',
    ]);
    // Told of a stage that is over.
    await command.says('warm-up: Penguins:identify');
    const { code, stdout } = await command.kill('SIGINT');
    expect(code).to.equal(130);
    expect(stdout)
      .to.include('interrupted')
      .and.to.match(/^latency {5}p50/m);
  });

  it('counts the calls that a server which ends did not answer', async () => {
    const server = await place.serve();
    // The model is loaded for it: calls that wait for that began before the measurement did.
    await place.output('predict', 'penguins', JSON.stringify(PENGUIN), '--server', server.address);
    const args = ['bench', 'penguins', '--server', server.address, '--duration', '60s', '--warm-up', '0s', '--json'];
    const command = place.start(args);
    await command.says('warm-up: Penguins:identify');
    await server.kill();
    const { stdout } = await command.kill('SIGINT');
    const report = JSON.parse(stdout) as Report;
    expect(report.errors).to.have.all.keys('CONNECTION_LOST');
    expect(report.errors.CONNECTION_LOST).to.be.within(1, 8);
  });
});
