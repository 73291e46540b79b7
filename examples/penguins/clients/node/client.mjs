/**
 * Asks a Parley server which species a penguin is, through stubs that the Thrift compiler made from penguins.thrift.
 *
 *   node client.mjs HOST:PORT [compact] [multiplexed] [--ca FILE.pem] [--token TOKEN] [--rows FILE.jsonl]
 *
 * With --rows, each line of the file is a penguin, and each answer is printed as a line of JSON.
 *
 * What to know about `thrift` for Node:
 *  - A call that is waiting when its connection ends is never settled, so that `await` waits for ever: see `orLost`.
 *  - A connection gives replies to the client that was made for it *last*. A second plain client on it would take the
 *    first one's replies; use one connection a service, or a Multiplexer, which keeps them apart.
 *  - All clients of a connection must come from the same Multiplexer, which numbers the calls of all of them.
 *  - An 'error' event that nobody listens to ends the process.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import thrift from 'thrift';
import Penguins from './gen-nodejs/Penguins.js';
// Stubs are CommonJS, which is why this folder's package.json does not say "type": "module".
import parley from './gen-nodejs/parley_types.js';
import penguins from './gen-nodejs/penguins_types.js';

const { Penguin, Species } = penguins;
const { ErrorCode, ParleyError, RequestContext } = parley;

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { ca: { type: 'string' }, token: { type: 'string' }, rows: { type: 'string' } },
});
const [address = '', ...words] = positionals;
const [, host, port] = /^(.+):(\d+)$/.exec(address) ?? [];
if (port === undefined || words.some((word) => word !== 'compact' && word !== 'multiplexed')) {
  console.error(
    'usage: node client.mjs HOST:PORT [compact] [multiplexed] [--ca FILE.pem] [--token TOKEN] [--rows FILE.jsonl]',
  );
  process.exit(2);
}

/** The name of an enum's value, which is a plain number in JavaScript. */
const nameOf = (names, value) => Object.keys(names).find((name) => names[name] === value) ?? String(value);

/** Framed is what the server speaks; the protocol is the caller's choice, and the server answers in the same. */
const options = {
  transport: thrift.TFramedTransport,
  protocol: words.includes('compact') ? thrift.TCompactProtocol : thrift.TBinaryProtocol,
  connect_timeout: 5_000,
};
/** With an authority it is TLS: the server must show a certificate of it, for this host. */
const connection =
  flags.ca === undefined
    ? thrift.createConnection(host, Number(port), options)
    : thrift.createSSLConnection(host, Number(port), { ...options, ca: readFileSync(flags.ca) });
const lost = new Promise((_, reject) => {
  connection.on('error', reject);
  connection.on('timeout', () => reject(new Error(`${address} does not answer`)));
  connection.on('close', () => reject(new Error(`the connection to ${address} has ended`)));
});
// Without a call in flight nobody looks at it, and that is fine.
lost.catch(() => {});
const orLost = (call) => Promise.race([call, lost]);

try {
  await orLost(once(connection, 'connect'));
} catch (error) {
  console.error(`error: no server answers at ${address}: ${error.message}`);
  process.exit(1);
}

// Plain names reach the server's default service; "Penguins:identify" is there in any case.
const client = words.includes('multiplexed')
  ? new thrift.Multiplexer().createClient('Penguins', Penguins, connection)
  : thrift.createClient(Penguins, connection);

/** Optional: an id to find the call by in the server's log, how long an answer is of use, and who asks. */
const context = (id) => new RequestContext({ request_id: id, timeout_ms: 5_000, auth_token: flags.token });

function show(verb, { species, confidence, provenance }) {
  const { model, version, prediction_id } = provenance;
  console.log(
    `${verb}: ${nameOf(Species, species)} (${confidence.toFixed(4)}), says ${model} ${version.slice(0, 12)}, prediction ${prediction_id}`,
  );
}

async function demonstrate() {
  const torgersen = new Penguin({
    bill_length_mm: 39.1,
    bill_depth_mm: 18.7,
    flipper_length_mm: 181,
    body_mass_g: 3750,
    island: 'Torgersen',
    sex: 'MALE',
  });
  show('identify', await orLost(client.identify(torgersen, context('one'))));

  const others = [
    new Penguin({
      bill_length_mm: 46.5,
      bill_depth_mm: 17.9,
      flipper_length_mm: 192,
      body_mass_g: 3500,
      island: 'Dream',
      sex: 'FEMALE',
    }),
    // Nobody knows this one's sex, which the contract allows.
    new Penguin({
      bill_length_mm: 46.1,
      bill_depth_mm: 13.2,
      flipper_length_mm: 211,
      body_mass_g: 4500,
      island: 'Biscoe',
    }),
  ];
  for (const answer of await orLost(client.identify_many(others, context('two')))) show('identify_many', answer);

  try {
    await orLost(client.identify(new Penguin({ ...torgersen, bill_length_mm: 4650 }), context('three')));
  } catch (error) {
    if (!(error instanceof ParleyError)) throw error;
    console.log(`refused: ${nameOf(ErrorCode, error.code)}, retryable: ${error.retryable}`);
    for (const { path, message, got } of error.problems) console.log(`  ${path} ${message}, got ${got}`);
  }
}

/** Calls may be in flight together: replies find theirs by number, in whatever order they come. */
async function answerRows(file) {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  const answers = await Promise.all(lines.map((line) => answerRow(JSON.parse(line))));
  for (const answer of answers) console.log(JSON.stringify(answer));
}

async function answerRow(row) {
  try {
    const { species, probability, provenance } = await orLost(
      client.identify(new Penguin(row), flags.token && context('row')),
    );
    // A map with enum keys is a plain object, whose keys are the numbers as text.
    const probabilities = Object.entries(probability).map(([key, value]) => [nameOf(Species, Number(key)), value]);
    return {
      label: nameOf(Species, species),
      probabilities: Object.fromEntries(probabilities),
      version: provenance.version,
      prediction_id: provenance.prediction_id,
    };
  } catch (error) {
    if (!(error instanceof ParleyError)) throw error;
    return { error: { code: nameOf(ErrorCode, error.code), problems: error.problems } };
  }
}

try {
  if (flags.rows === undefined) await demonstrate();
  else await answerRows(flags.rows);
} finally {
  connection.end();
}
