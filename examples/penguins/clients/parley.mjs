// Asks a Parley server which species a penguin is, by the contract alone: no stubs are made for it.
//
//   node examples/penguins/clients/parley.mjs HOST:PORT
import { fileURLToPath } from 'node:url';
import { connect, ParleyError } from 'parley/client';

const client = await connect(process.argv[2] ?? 'localhost:9090', {
  contract: fileURLToPath(new URL('../penguins.thrift', import.meta.url)),
  // Every new connection asks the server whether it keeps this contract.
  negotiate: true,
  timeoutMs: 2_000,
});

const torgersen = {
  bill_length_mm: 39.1,
  bill_depth_mm: 18.7,
  flipper_length_mm: 181,
  body_mass_g: 3750,
  island: 'Torgersen',
  sex: 'MALE',
};
const { species, confidence } = await client.penguins.identify(torgersen);
console.log(`identify: ${species} (${confidence.toFixed(4)})`);

const answers = await client.penguins.identify_many([torgersen, { ...torgersen, bill_length_mm: 46.5, sex: null }]);
for (const { species: found, probability } of answers) console.log(`identify_many: ${found} (${probability[found]})`);

try {
  await client.penguins.identify({ ...torgersen, bill_length_mm: 4650 }, { requestId: 'three' });
} catch (error) {
  if (!(error instanceof ParleyError)) throw error;
  console.log(`refused: ${error.code}, retryable: ${error.retryable}`);
  for (const { path, message, got } of error.problems) console.log(`  ${path} ${message}, got ${got}`);
}
client.close();
