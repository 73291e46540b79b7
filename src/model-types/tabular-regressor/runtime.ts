/** How a regressor's output is read. */

export const defaultOutputs = {
  /** float32, shape (rows). */
  value: 'value',
} as const;
