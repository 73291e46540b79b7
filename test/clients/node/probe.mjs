/**
 * Calls what the example's client does not, through the same generated stubs, and prints the answers as one JSON object.
 *
 *   node probe.mjs STUBS HOST:PORT ROWS.jsonl GRAPH.onnx MODEL [compact] [multiplexed] [ca=FILE.pem] [token=TOKEN]
 *
 * The graph, of the sum of a and b, is published as a version of the model, which must be new. The keys are the same in every language: see answers.ts.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import Int64 from 'node-int64';
import thrift from 'thrift';

const [stubs, address, file, graphFile, newModel, ...words] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const generated = (name) => require(join(stubs, name));
const [Penguins, Prediction, Registry, Training, Feedback, Operations] = [
  'Penguins',
  'Prediction',
  'Registry',
  'Training',
  'Feedback',
  'Operations',
].map((name) => [name, generated(name)]);
const { Penguin } = generated('penguins_types');
const parley = generated('parley_types');

const at = address.lastIndexOf(':');
const Protocol = words.includes('compact') ? thrift.TCompactProtocol : thrift.TBinaryProtocol;
/** With it the connections are TLS, and the server must show a certificate of this authority. */
const authority = wordOf('ca');
/** Each connection shows it once, and is known by it then. */
const token = wordOf('token');
function wordOf(name) {
  return words.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
}
const connections = [];
async function connect(protocol = Protocol) {
  const [host, port] = [address.slice(0, at), Number(address.slice(at + 1))];
  const options = { transport: thrift.TFramedTransport, protocol };
  const connection =
    authority === undefined
      ? thrift.createConnection(host, port, options)
      : thrift.createSSLConnection(host, port, { ...options, ca: readFileSync(authority) });
  connections.push(connection);
  await once(connection, 'connect');
  connection.on('error', (error) => {
    throw error;
  });
  if (token !== undefined) {
    connection.protocol = Protocol;
    const context = new parley.RequestContext({ auth_token: token });
    await thrift.createClient(Operations[1], connection).ping(new parley.PingRequest({ context }));
    connection.protocol = protocol;
  }
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
const training = await clientOf(Training);
const feedback = await clientOf(Feedback);
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

/** From an upload to a version behind an alias, which is held against a promotion and released. */
async function publish() {
  const graph = readFileSync(graphFile);
  const model = newModel,
    alias_name = 'candidate';
  const begun = await registry.begin_upload(new parley.BeginUploadRequest({ model, size_bytes: graph.length }));
  const { upload_id } = begun;
  const part = await registry.upload_part(new parley.UploadPartRequest({ upload_id, offset: 0, data: graph }));
  const published = await registry.publish(
    new parley.PublishRequest({ model, upload_id, metrics: { 'test.mae': 0.25 }, description: 'by a probe' }),
  );
  const { version } = published.version;
  const promotion = new parley.PromoteRequest({ model, version, alias_name, reason: 'why not', context });
  const held = new parley.HoldRequest({ model, alias_name, reason: 'probing' });
  return {
    begun,
    part,
    published,
    promoted: await registry.promote(promotion),
    held: await registry.hold(held),
    aliases: await registry.aliases(new parley.AliasesRequest({ model })),
    conflict: await refusal(registry.promote(promotion)),
    released: await registry.release(held),
    predicted: await prediction.predict(
      new parley.PredictRequest({
        model,
        reference: version,
        outputs: ['value'],
        inputs: [one('a', 1), one('b', 2.5)],
      }),
    ),
    pruned: await registry.prune(new parley.PruneRequest({ model, keep: 0, dry_run: true })),
    history: await registry.history(new parley.HistoryRequest({ model })),
  };
}

/** A tensor of one row. */
const one = (name, value) =>
  new parley.Tensor({
    name,
    data_type: parley.DataType.FLOAT64,
    shape: [1, 1],
    data: Buffer.from(Float64Array.of(value).buffer),
  });

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
  contract: await operations.contract(new parley.ContractRequest({ service_name: 'Penguins' })),
  registry: await publish(),
  no_runs: await refusal(training.list_runs(new parley.ListRunsRequest({ context }))),
  no_labels: await refusal(feedback.record_labels(new parley.RecordLabelsRequest({ model: 'penguins', context }))),
};
for (const connection of connections) connection.end();

// Buffers and i64s have a toJSON of their own, which is asked before the replacer.
Int64.prototype.toJSON = Int64.prototype.toNumber;
Buffer.prototype.toJSON = function () {
  return this.toString('base64');
};
process.stdout.write(JSON.stringify(answers));
