/** What models have answered: by version while it is loaded and for a while after, and by model since the server started. */
import type { Factory } from '../serving/factory.js';
import type { Histogram } from '../serving/histogram.js';
import type { Tally } from '../serving/tally.js';
import { counter, histogram, type Metric, type Sample } from './metric.js';

const VERSION = ['model', 'version'];

export function inferenceMetrics({ factory }: { readonly factory: Factory }): Metric[] {
  const { tallies } = factory;
  const ofVersions =
    <Value>(read: (tally: Tally) => Value) =>
    () =>
      tallies.versions.map(({ model, version, tally }): Sample<Value> => [[model, version], read(tally)]);
  const counted = (name: string, help: string, numberOf: (tally: Tally) => number) =>
    counter(name, help, ofVersions(numberOf), VERSION);
  const distributed = (name: string, help: string, histogramOf: (tally: Tally) => Histogram, unit?: number) =>
    histogram(name, help, ofVersions(histogramOf), VERSION, unit);
  return [
    counted('parley_inference_request_success', 'Calls that a version answered', ({ succeeded }) => succeeded),
    counter(
      'parley_inference_request_failure',
      "Calls that failed, by the error's code; version is empty where a call met none",
      () => [
        ...tallies.versions.flatMap(({ model, version, tally }) => failures([model, version], tally)),
        ...[...tallies.unrouted].flatMap(([model, counts]) => failures([model, ''], { failures: counts })),
      ],
      [...VERSION, 'reason'],
    ),
    counted('parley_inference_count', 'Rows that a version answered', ({ rows }) => rows),
    counted('parley_inference_exec_count', 'Runs of a version, one a batch', ({ runs }) => runs),
    counted(
      'parley_inference_request_duration_us',
      'Microseconds from arrival to the end of the run, of calls that were answered',
      ({ request }) => request.sum,
    ),
    counted(
      'parley_inference_queue_duration_us',
      'Microseconds of these that passed before the run began',
      ({ queue }) => queue.sum,
    ),
    counted('parley_inference_compute_infer_duration_us', 'Microseconds of runs', ({ compute }) => compute.sum),
    distributed(
      'parley_inference_request_duration_seconds',
      'From arrival to the end of the run, of calls that were answered',
      ({ request }) => request,
    ),
    distributed(
      'parley_inference_queue_duration_seconds',
      'From arrival to the beginning of the run, of calls that were answered',
      ({ queue }) => queue,
    ),
    distributed('parley_inference_compute_duration_seconds', 'Of runs, one a batch', ({ compute }) => compute),
    distributed('parley_inference_batch_size', 'Rows of runs', ({ batch }) => batch, 1),
    counter(
      'parley_model_requests_total',
      "Calls of a model, whichever version they met: outcome is OK or the error's code",
      () =>
        [...tallies.totals].flatMap(([model, totals]): Sample[] => [
          [[model, 'OK'], totals.succeeded],
          ...failures([model], totals),
        ]),
      ['model', 'outcome'],
    ),
    counter(
      'parley_model_rows_total',
      'Rows that a model answered, whichever version did',
      () => [...tallies.totals].map(([model, { rows }]): Sample => [[model], rows]),
      ['model'],
    ),
  ];
}

const failures = (labels: readonly string[], { failures }: Pick<Tally, 'failures'>): Sample[] =>
  failures.byCode.map(([code, count]) => [[...labels, code], count]);
