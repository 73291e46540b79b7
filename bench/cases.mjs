/** What bench/quick asks, of whom. */
import { floats, penguins } from './workloads.mjs';

const typed = penguins(),
  logistic = await floats('logistic', 1);
/** The echo answers with the first bytes of what it was sent, and names no version. */
const { provenance: _, expectation: __, ...echoed } = logistic.predict;

/** By name. `server` is what servers.mjs calls it. */
export const CASES = {
  identify: { title: 'typed identify', server: 'parley', load: typed.predict },
  predict: { title: 'Prediction.predict', server: 'parley', load: logistic.predict },
  stock: { title: 'stock thrift echo', server: 'stock', load: echoed },
};
