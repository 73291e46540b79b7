/** A field's limits and roles, as the page says them. */
import type { InputField, Missing, OutputRole } from './contract.js';

/** What is taken: `20 to 80`, `Biscoe, Dream, Torgersen`. */
export function bounds(field: InputField): string {
  const { min, max, values, pattern, maxBytes, tensor } = field;
  const parts: string[] = [];
  if (min !== undefined && max !== undefined) parts.push(`${min} to ${max}`);
  else if (min !== undefined) parts.push(`at least ${min}`);
  else if (max !== undefined) parts.push(`at most ${max}`);
  if (tensor?.keys !== undefined) parts.push(`keys ${tensor.keys.join(', ')}`);
  else if (values !== undefined) parts.push(values.join(', '));
  if (pattern !== undefined) parts.push(`matching ${pattern}`);
  if (maxBytes !== undefined) parts.push(`at most ${maxBytes} bytes`);
  return parts.join('; ') || 'any';
}

export const defaultText = (missing: Missing): string =>
  missing.kind === 'default' ? `taken as ${JSON.stringify(missing.value)}` : missing.kind;

const ROLES: Readonly<Partial<Record<OutputRole, string>>> = {
  label: 'the answer',
  value: 'the answer',
  probability: 'the probability of each class',
  probability_of_positive: 'the probability of the positive class',
  confidence: 'the largest probability',
  interval_low: "the interval's lower end",
  interval_high: "the interval's upper end",
  provenance: 'which version answered',
};

export const roleText = (role: OutputRole): string => ROLES[role] ?? role;
