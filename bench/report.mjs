/** Samples as a table for people or a line of JSON. */
import { cpus, release } from 'node:os';
import { CASES } from './cases.mjs';

export function report(samples, options, pinned) {
  const machine = { cores: cpus().length, cpu: cpus()[0]?.model, kernel: release(), node: process.version, pinned };
  if (options.json) {
    console.log(
      JSON.stringify({
        at: new Date().toISOString(),
        machine,
        ...options,
        medians: medians(samples, options),
        samples,
      }),
    );
    return;
  }
  console.log(
    `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}; ${options.rounds} rounds of ${options.seconds} s, medians\n`,
  );
  const header = [
    'connections',
    'call',
    'requests/s',
    'ratio',
    'CPU µs',
    'ratio',
    'p50 µs',
    'p99 µs',
    'busy: server',
    'generator',
  ];
  const rows = medians(samples, options).map((row, index, all) => {
    const stock = all.find(({ name, connections }) => name === 'stock' && connections === row.connections);
    return [
      all[index - 1]?.connections === row.connections ? '' : String(row.connections),
      CASES[row.name].title,
      Math.round(row.perSecond).toLocaleString('en'),
      stock === undefined ? '' : `${(row.perSecond / stock.perSecond).toFixed(1)} ×`,
      row.cpuUs.toFixed(1),
      stock === undefined ? '' : `1/${(stock.cpuUs / row.cpuUs).toFixed(1)}`,
      String(Math.round(row.p50Us)),
      String(Math.round(row.p99Us)),
      percent(row.serverBusy),
      percent(row.generatorBusy),
    ];
  });
  printTable([header, ...rows]);
  console.log(
    '\nCPU: of the server, per request. A side is the limit where it is busy; where neither is, others had the cores.',
  );
}

function medians(samples, options) {
  return options.connections.flatMap((connections) =>
    options.cases.map((name) => {
      const mine = samples.filter((sample) => sample.name === name && sample.connections === connections);
      const fields = Object.keys(mine[0]).filter((field) => !['round', 'name', 'connections'].includes(field));
      return {
        name,
        connections,
        ...Object.fromEntries(fields.map((field) => [field, median(mine.map((s) => s[field]))])),
      };
    }),
  );
}

export function quantile(values, q) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b),
    middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const percent = (share) => `${Math.round(share * 100)} %`;

/** Words to the left, numbers to the right. */
export function printTable(rows, words = 1) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of rows)
    console.log(
      row
        .map((cell, i) => (i === words ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
        .join('  ')
        .trimEnd(),
    );
}
