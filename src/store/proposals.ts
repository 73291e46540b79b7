/** Contracts that wait for somebody's agreement, beside the one in force. */
import { conflict, invalidInput, notFound } from '../errors.js';
import { streamOf } from '../model/byte-stream.js';
import type { ProposeContract, ProposedContract, WithdrawContract } from '../model/store-port.js';
import type { LedgerEntry } from '../model/version.js';
import { replies } from './connection.js';
import { checkModel, type StoreContext } from './context.js';
import { checkPublication, publicationRefusal } from './contracts.js';
import { written } from './ledger.js';
import { partCount, withStaging } from './parts.js';
import { contractToFields, type Fields } from './records.js';

/** What waits is looked through by people. */
const MOST_PROPOSALS = 32;

export class Proposals {
  constructor(private readonly context: StoreContext) {}

  async propose(request: ProposeContract): Promise<void> {
    await checkPublication(request);
    const { model, fixtures } = request;
    const { changes, keys } = this.context;
    await changes.ask((redis) => redis.sadd(keys.models, model), { change: keys.modelsMark });
    if (fixtures === undefined) return this.runScript(request, keys.staging(model, 'none'), 0);
    await withStaging(this.context, model, streamOf(fixtures), (key) =>
      this.runScript(request, key, partCount(fixtures.length)),
    );
  }

  /** Oldest first. */
  async list(model: string): Promise<readonly ProposedContract[]> {
    checkModel(model);
    const { commands, keys, records } = this.context;
    const fingerprints = await commands.ask((redis) => redis.zrange(keys.proposals(model), '0', '-1'));
    const found = await commands.ask((redis) => {
      const pipeline = redis.pipeline();
      for (const fingerprint of fingerprints) pipeline.hgetallBuffer(keys.proposal(model, fingerprint));
      return replies(pipeline);
    });
    return fingerprints.flatMap((fingerprint, i) => {
      const fields = found[i] as Fields;
      // It was withdrawn or agreed to between the two readings.
      if (Object.keys(fields).length === 0) return [];
      return [records.proposal(keys.proposal(model, fingerprint), fingerprint, fields)];
    });
  }

  async withdraw({ model, fingerprint, actor, reason }: WithdrawContract): Promise<LedgerEntry> {
    checkModel(model);
    const { changes, keys, environment } = this.context;
    const [outcome, sequence, at, proposedBy] = await changes.ask(
      (redis) =>
        redis.withdrawContract(
          keys.proposals(model),
          keys.proposal(model, fingerprint),
          keys.epoch(model),
          keys.ledger(model),
          keys.events,
          model,
          fingerprint,
          actor,
          reason ?? '',
          environment,
        ),
      // Asked again after a lost reply it would find nothing.
      { change: keys.mark(model), repeat: false },
    );
    if (outcome !== 'OK')
      throw notFound(
        `model "${model}" has no proposal ${fingerprint} to withdraw; "parley contract proposals ${model}" lists what there is`,
      );
    const entry: LedgerEntry = {
      sequence: Number(sequence),
      at: Number(at),
      action: 'withdraw',
      actor,
      contractFingerprint: fingerprint,
      proposedBy: String(proposedBy),
      ...(reason === undefined ? {} : { reason }),
    };
    return written(entry, environment);
  }

  private async runScript(request: ProposeContract, stagingKey: string, parts: number): Promise<void> {
    const { changes, keys, environment } = this.context;
    const { model, contract, allowBreaking } = request;
    const { fingerprint, fixtureFingerprint = '' } = contract;
    const [outcome, detail] = await changes.ask(
      (redis) =>
        redis.proposeContract(
          stagingKey,
          keys.fixtures(model, fixtureFingerprint),
          keys.contractInForce(model),
          keys.proposals(model),
          keys.proposal(model, fingerprint),
          keys.epoch(model),
          keys.ledger(model),
          keys.events,
          model,
          fingerprint,
          fixtureFingerprint,
          parts,
          request.expected ?? 'none',
          MOST_PROPOSALS,
          request.actor,
          request.reason ?? '',
          environment,
          request.evidenceJson ?? '',
          ...contractToFields(contract),
          ...(allowBreaking === undefined ? [] : ['allowBreaking', allowBreaking]),
        ),
      { change: keys.mark(model) },
    );
    switch (outcome) {
      case 'OK':
      case 'SAME':
        return;
      case 'IN_FORCE':
        throw invalidInput(
          `contract ${fingerprint} of model "${model}" is in force already; there is nothing to agree to`,
        );
      case 'PROPOSED':
        throw conflict(
          `${detail} has proposed contract ${fingerprint} of model "${model}" already; agree to it: \`parley contract agree ${model} ${fingerprint.slice(0, 12)}\``,
        );
      case 'FULL':
        throw conflict(
          `model "${model}" has ${detail} proposals, as many as are kept; withdraw one with \`parley contract withdraw ${model} FINGERPRINT\``,
        );
      default:
        throw publicationRefusal(request, String(outcome), detail, parts);
    }
  }
}
