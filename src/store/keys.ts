/**
 * The only place that spells a Redis key.
 *
 * Everything of one model carries the hash tag `{<model>}`, so that a script that changes a model finds all of its keys
 * on one node of a Redis Cluster.
 *
 * What each key holds is said in key-table.ts, and in docs/redis-schema.md, which is made from that.
 */
export class Keys {
  /** @param prefix stands before every key and channel; lets tests share one Redis. No braces. */
  constructor(private readonly prefix = '') {}

  /** The channel on which a change is announced as `<model> <sequence>`. */
  get events(): string {
    return `${this.prefix}parley:events`;
  }

  get models(): string {
    return `${this.prefix}parley:models`;
  }

  get modelsMark(): string {
    return `{${this.models}}:mark`;
  }

  mark(model: string): string {
    return this.of(model, 'mark');
  }

  epoch(model: string): string {
    return this.of(model, 'epoch');
  }

  ledger(model: string): string {
    return this.of(model, 'ledger');
  }

  aliases(model: string): string {
    return this.of(model, 'aliases');
  }

  canaries(model: string): string {
    return this.of(model, 'canaries');
  }

  holds(model: string): string {
    return this.of(model, 'holds');
  }

  trail(model: string, aliasName: string): string {
    return this.of(model, `trail:${aliasName}`);
  }

  versions(model: string): string {
    return this.of(model, 'versions');
  }

  ensembles(model: string): string {
    return this.of(model, 'ensembles');
  }

  version(model: string, version: string): string {
    return this.of(model, `version:${version}`);
  }

  blob(model: string, version: string): string {
    return this.of(model, `blob:${version}`);
  }

  verdicts(model: string): string {
    return this.of(model, 'verdicts');
  }

  contractInForce(model: string): string {
    return this.of(model, 'contract');
  }

  contract(model: string, fingerprint: string): string {
    return this.of(model, `contract:${fingerprint}`);
  }

  proposals(model: string): string {
    return this.of(model, 'proposals');
  }

  proposal(model: string, fingerprint: string): string {
    return this.of(model, `proposal:${fingerprint}`);
  }

  fixtures(model: string, fingerprint: string): string {
    return this.of(model, `fixtures:${fingerprint}`);
  }

  run(model: string, runId: string): string {
    return this.of(model, `run:${runId}`);
  }

  upload(model: string, id: string): string {
    return this.of(model, `upload:${id}`);
  }

  staging(model: string, id: string): string {
    return this.of(model, `staging:${id}`);
  }

  private of(model: string, noun: string): string {
    return `${this.prefix}parley:{${model}}:${noun}`;
  }
}

/** The field of `verdicts` for one digest, contract and set of fixtures. */
export function verdictField(version: string, contractFingerprint: string, fixtureFingerprint: string): string {
  return `${version}:${contractFingerprint}:${fixtureFingerprint}`;
}
