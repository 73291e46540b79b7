/**
 * What the `thrift` package's own server does with the same bytes: framed, binary, Prediction.predict of idl/parley.thrift
 * by the generated processor. It runs no model: it answers with the request's first eight bytes of data.
 */
import thrift from 'thrift';
import Prediction from '../gen/Prediction.js';
import { PredictResponse, Provenance, Tensor } from '../gen/parley_types.js';

const version = 'e'.repeat(64);
let count = 0;

const server = thrift.createServer(
  Prediction,
  {
    predict: (request, done) => {
      const provenance = new Provenance({
        prediction_id: String(count++).padStart(20, '0'),
        model: request.model,
        version,
        alias_name: 'production',
        queue_us: 1,
        compute_us: 1,
      });
      const output = new Tensor({
        name: 'probabilities',
        data_type: 1,
        shape: [1, 2],
        data: request.inputs[0].data.subarray(0, 8),
      });
      done(null, new PredictResponse({ provenance, outputs: [output] }));
    },
  },
  { transport: thrift.TFramedTransport, protocol: thrift.TBinaryProtocol },
);
// A connection that the generator drops is no reason to end.
server.on('error', () => {});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address();
  console.log(JSON.stringify({ pid: process.pid, thrift: { host: '127.0.0.1', port } }));
});
