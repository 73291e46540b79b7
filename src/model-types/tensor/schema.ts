/** What a tensor model says beside its graph. */
import { z } from 'zod';

export const metadata = z
  .strictObject({
    optional_inputs: z
      .array(z.string().min(1))
      .min(1)
      .refine((names) => new Set(names).size === names.length, 'names an input twice')
      .optional()
      .describe('Inputs that a call may leave out; the graph holds the values that stand for them then.'),
  })
  .describe('Any ONNX graph that the runtime can run: its inputs and outputs mean what its makers say.');

export type TensorMetadata = z.infer<typeof metadata>;
