/** Roles of tokens, and which of them each method of idl/parley.thrift asks for. A test holds the table to the IDL. */
import { didYouMean } from '../contract/nearest.js';
import { invalidInput } from '../errors.js';

/** Each a bit, so that a call's right is one operation. */
const BITS = { predict: 1, feedback: 2, train: 4, registry: 8, admin: 16 } as const;

export type Role = keyof typeof BITS;
export const ROLES = Object.keys(BITS) as readonly Role[];

/** Of what may be called without a token. */
const ANYONE: readonly Role[] = [];
const EVERY_ROLE: readonly Role[] = ['predict', 'feedback', 'train', 'registry'];

/** By `Service:method`: any one of these roles will do; admin always does. `ANYONE`: no token is asked for. */
export const METHOD_ROLES: Readonly<Record<string, readonly Role[]>> = {
  'Prediction:predict': ['predict'],
  'Prediction:describe': EVERY_ROLE,
  'Training:register_project': ['train'],
  'Training:train': ['train'],
  'Training:get_run': ['train', 'registry'],
  'Training:watch_run': ['train', 'registry'],
  'Training:cancel_run': ['train'],
  'Training:list_runs': ['train', 'registry'],
  'Registry:publish_contract': ['registry'],
  'Registry:agree_contract': ['registry'],
  'Registry:withdraw_contract': ['registry'],
  'Registry:contract_proposals': ['train', 'registry'],
  'Registry:begin_upload': ['registry'],
  'Registry:upload_part': ['registry'],
  'Registry:publish': ['registry'],
  'Registry:list_versions': ['train', 'registry'],
  'Registry:accept': ['registry'],
  'Registry:promote': ['registry'],
  'Registry:rollback': ['registry'],
  'Registry:hold': ['registry'],
  'Registry:release': ['registry'],
  'Registry:retire': ['registry'],
  'Registry:prune': ['registry'],
  'Registry:aliases': ['train', 'registry'],
  'Registry:history': ['train', 'registry'],
  'Feedback:record_labels': ['feedback'],
  'Feedback:live_metrics': ['feedback', 'train', 'registry'],
  'Operations:ping': ANYONE,
  'Operations:contract': EVERY_ROLE,
};

/** What the typed services ask for. */
export const TYPED_ROLES: readonly Role[] = ['predict'];

/** What a method asks for, as a call is checked against it. */
export interface Needed {
  /** Bits of the roles that will do; 0: nobody is asked. */
  readonly mask: number;
  readonly roles: readonly Role[];
}

export const maskOf = (roles: readonly Role[]): number => roles.reduce((mask, role) => mask | BITS[role], 0);

const neededOf = (roles: readonly Role[]): Needed => ({
  mask: roles === ANYONE ? 0 : maskOf(roles) | BITS.admin,
  roles,
});

/** A method that the table does not know is the administrator's alone. */
export const neededFor = (method: string): Needed => neededOf(METHOD_ROLES[method] ?? ['admin']);
export const NEEDED_TO_PREDICT: Needed = neededOf(TYPED_ROLES);

/** `predict,feedback` as roles. @throws ParleyError INVALID_INPUT */
export function parseRoles(text: string): readonly Role[] {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !ROLES.some((role) => role === name));
  if (unknown !== undefined)
    throw invalidInput(
      `"${unknown}" is no role${didYouMean(unknown, ROLES)}; roles are ${ROLES.join(', ')}, several with commas between`,
    );
  return ROLES.filter((role) => names.includes(role));
}
