/**
 * Calls services by stubs of many contracts, and prints what each call comes to as one JSON array.
 *
 *   node client.mjs JOBS.json
 *
 * A job names the stubs' folder, the service in them and on the server, the method, whether it takes a list, and the row. A
 * method that the stubs do not have is told as `source`, as a compiler would.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import thrift from 'thrift';

const { host, port, jobs } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const require = createRequire(import.meta.url);

async function connect() {
  const connection = thrift.createConnection(host, port, {
    transport: thrift.TFramedTransport,
    protocol: thrift.TBinaryProtocol,
  });
  await once(connection, 'connect');
  return connection;
}

async function outcomeOf({ stubs, service, served, method, many, row }, connection) {
  const generated = require(join(stubs, `${service}.js`));
  const types = require(join(stubs, 'penguins_types.js'));
  const client = new thrift.Multiplexer().createClient(served, generated, connection);
  if (client[method] === undefined) return { source: `no method ${method}` };
  const penguin = Object.assign(new types.Penguin(), row);
  try {
    const answer = await within(client[method](many ? [penguin] : penguin));
    return { answer: plain(many ? answer[0] : answer, types) };
  } catch (error) {
    return {
      error: { name: error.name, code: error.code ?? null, message: error.message, problems: error.problems ?? [] },
    };
  }
}

/** A reply that the stubs cannot read may never come to its caller. */
const within = (call) =>
  Promise.race([
    call,
    new Promise((_, reject) => {
      setTimeout(() => reject(new Error('no answer that could be read')), 5_000).unref();
    }),
  ]);

function plain(answer, types) {
  if (answer === null || typeof answer !== 'object' || Array.isArray(answer)) return { odd: typeof answer };
  const nameOf = (number) => Object.keys(types.Species).find((name) => types.Species[name] === Number(number)) ?? null;
  const { provenance: _, ...fields } = answer;
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== null && value !== undefined)
      .map(([name, value]) => [
        name,
        name === 'species'
          ? { number: value, name: nameOf(value) }
          : typeof value === 'object'
            ? Object.fromEntries(Object.entries(value).map(([key, each]) => [nameOf(key) ?? `#${key}`, each]))
            : value,
      ]),
  );
}

const outcomes = [];
for (const job of jobs) {
  // What one call leaves behind is not read by the next.
  const connection = await connect();
  outcomes.push(await outcomeOf(job, connection));
  connection.end();
}
process.stdout.write(JSON.stringify(outcomes));
