/**
 * Calls what the example's client does not, through the same generated stubs, and prints the answers as one JSON object.
 *
 *   node probe.mjs STUBS HOST:PORT ROWS.jsonl [compact] [multiplexed]
 *
 * The keys are the same in every language: see answers.ts.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import Int64 from 'node-int64';
import thrift from 'thrift';

const [stubs, address, file, ...words] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const generated = (name) => require(join(stubs, name));
const [Penguins, Prediction, Registry, Operations] = ['Penguins', 'Prediction', 'Registry', 'Operations'].map(
  (name) => [name, generated(name)],
);
const { Penguin } = generated('penguins_types');
const parley = generated('parley_types');

const at = address.lastIndexOf(':');
const Protocol = words.includes('compact') ? thrift.TCompactProtocol : thrift.TBinaryProtocol;
const connections = [];
async function connect(protocol = Protocol) {
  const options = { transport: thrift.TFramedTransport, protocol };
  const connection = thrift.createConnection(address.slice(0, at), Number(address.slice(at + 1)), options);
  connections.push(connection);
  await once(connection, 'connect');
  connection.on('error', (error) => {
    throw error;
  });
  return connection;
}

// Multiplexed, all services share a connection; by plain names, a connection is one client's.
const shared = words.includes('multiplexed') ? await connect() : undefined;
const multiplexer = new thrift.Multiplexer();
const clientOf = async ([name, service]) =>
  shared === undefined
    ? thrift.createClient(service, await connect())
    : multiplexer.createClient(name, service, shared);

const rows = readFileSync(file, 'utf8').split('\n').filter(Boolean).map(JSON.parse);
const penguins = await clientOf(Penguins);
const prediction = await clientOf(Prediction);
const registry = await clientOf(Registry);
const operations = await clientOf(Operations);

/** What a call was refused with. */
const refusal = (call) =>
  call.then(
    () => ({ refused: false }),
    (error) => ({ ...error, typed: error instanceof parley.ParleyError }),
  );

/** One tensor a field: float64 or text, shape (rows, 1). */
const tensors = (specs) =>
  specs.map(({ name, data_type, shape }) => {
    const values = rows.map((row) => row[name]);
    const common = { name, data_type, shape: shape.map((extent) => (Number(extent) < 0 ? rows.length : extent)) };
    return data_type === parley.DataType.STRING
      ? new parley.Tensor({ ...common, strings: values.map((value) => value ?? '') })
      : new parley.Tensor({ ...common, data: Buffer.from(Float64Array.from(values, (value) => value ?? NaN).buffer) });
  });

/** A method that no server knows, called and answered as the compiler would write it. */
async function callUnknown() {
  class Renaming extends Protocol {
    writeMessageBegin(_name, type, seqid) {
      super.writeMessageBegin(words.includes('multiplexed') ? 'Penguins:guess' : 'guess', type, seqid);
    }
  }
  const connection = await connect(Renaming);
  const client = thrift.createClient(Operations[1], connection);
  // Replies are told apart by their method's name too.
  client.recv_guess = client.recv_ping;
  const { type, message, name } = await client.ping(new parley.PingRequest()).catch((error) => error);
  connection.protocol = Protocol;
  const again = thrift.createClient(Operations[1], connection);
  return { type, message, name, after: await again.ping(new parley.PingRequest()) };
}

const context = new parley.RequestContext({ request_id: 'probe' });
const described = await prediction.describe(new parley.DescribeRequest({ model: 'penguins' }));
const answers = {
  many: await penguins.identify_many(rows.map((row) => new Penguin(row))),
  refused: await refusal(
    penguins.identify_many(
      [rows[0], { ...rows[1], bill_length_mm: 4650 }].map((row) => new Penguin(row)),
      context,
    ),
  ),
  not_found: await refusal(prediction.describe(new parley.DescribeRequest({ model: 'walruses', context }))),
  unknown: await callUnknown(),
  described,
  predicted: await prediction.predict(
    new parley.PredictRequest({ model: 'penguins', inputs: tensors(described.inputs) }),
  ),
  versions: await registry.list_versions(new parley.VersionsRequest({ model: 'penguins' })),
  history: await registry.history(new parley.HistoryRequest({ model: 'penguins' })),
  ping: await operations.ping(new parley.PingRequest()),
};
for (const connection of connections) connection.end();

// Buffers and i64s have a toJSON of their own, which is asked before the replacer.
Int64.prototype.toJSON = Int64.prototype.toNumber;
Buffer.prototype.toJSON = function () {
  return this.toString('base64');
};
process.stdout.write(JSON.stringify(answers));
