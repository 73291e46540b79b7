/** docs/grafana.json and docs/metrics.md, against the metrics that there are. */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { type Claims, claims } from './metric-claims.js';

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly type: string; readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly refId: string; readonly expr: string; readonly datasource: object }[];
}

const dashboard = JSON.parse(readFileSync('docs/grafana.json', 'utf8')) as {
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { name: string; type: string; definition?: string }[] };
};
const PROMETHEUS = { type: 'prometheus', uid: `$${'{datasource}'}` };
const graphs = dashboard.panels.filter(({ type }) => type !== 'row');
const targets = graphs.flatMap(({ targets = [] }) => targets);

/** Names with the label that a query asks for behind each, such as `name{model=`. */
const queries = (expr: string) => [...expr.matchAll(/\b((?:parley|process|nodejs)_[a-z0-9_]+)\b(?:\{([^}]*)\})?/g)];

describe('the dashboard', () => {
  let code: Claims;
  before(async () => {
    code = await claims();
  });

  /** What a query may name: a histogram has no line of its own name. */
  function names(): Map<string, readonly string[]> {
    const known = new Map<string, readonly string[]>();
    for (const { name, kind, labels } of code.metrics) {
      if (kind !== 'histogram') known.set(name, labels);
      else for (const end of ['_bucket', '_sum', '_count']) known.set(name + end, [...labels, 'le']);
    }
    return known;
  }

  it('asks only for metrics and labels that there are', () => {
    const known = names(),
      asked = new Set(targets.flatMap(({ expr }) => queries(expr).map(([, name]) => name!)));
    expect(asked.size).to.be.above(30);
    expect([...asked].filter((name) => !known.has(name))).to.deep.equal([]);
    for (const { expr } of targets)
      for (const [, name, selectors = ''] of queries(expr)) {
        const labels = [...selectors.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label]) => label!);
        if (known.has(name!)) expect(known.get(name!), `${name} in ${expr}`).to.include.members(labels);
      }
  });

  it('chooses its models by a metric that there is', () => {
    const [source, model] = dashboard.templating.list;
    expect(source).to.include({ name: 'datasource', type: 'datasource' });
    expect(model).to.include({ name: 'model', type: 'query' });
    const [, name, label] = /^label_values\((\w+), (\w+)\)$/.exec(model!.definition!)!;
    expect(names().get(name!)).to.include(label);
  });

  it('is of a schema that Grafana takes, asks the chosen source, and explains each panel', () => {
    expect(dashboard.schemaVersion).to.be.within(39, 42);
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).to.equal(ids.length);
    for (const { title, description, datasource, targets = [] } of graphs) {
      expect(description, title).to.match(/^\S.{5,}\.$/);
      expect(datasource, title).to.deep.equal(PROMETHEUS);
      expect(targets, title).to.not.be.empty;
      for (const target of targets) expect(target.datasource, title).to.deep.equal(PROMETHEUS);
      expect(new Set(targets.map(({ refId }) => refId)).size, title).to.equal(targets.length);
    }
  });

  it('lays no panel over another', () => {
    const taken = new Set<string>();
    for (const { title, gridPos } of dashboard.panels) {
      expect(gridPos.x + gridPos.w, title).to.be.at.most(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x} ${y}`), title).to.equal(false);
          taken.add(`${x} ${y}`);
        }
    }
  });
});

describe('docs/metrics.md', () => {
  it('has the metrics of the code', async () => {
    const { table, claimed } = await claims();
    expect(claimed, 'write it anew with "node scripts/metrics.mjs"').to.equal(table);
  });
});
