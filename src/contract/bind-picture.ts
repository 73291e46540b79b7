/** A picture and the input that takes it: by what an image classifier's metadata says, or by the input's shape. */
import type { TensorSpec } from '../model/tensor.js';
import type { PictureBinding } from './bind.js';
import { isFloat, shapeText } from './bind-types.js';
import type { InputField } from './contract.js';

type Triple = readonly [number, number, number];

/** What an image classifier's metadata may say of its pixels. */
interface PixelMetadata {
  readonly input?: unknown;
  readonly layout?: unknown;
  readonly channels?: unknown;
  readonly rescale?: unknown;
  readonly mean?: unknown;
  readonly std?: unknown;
}

/** @returns what is expected instead, where it does not fit */
export function bindPicture(field: InputField, input: TensorSpec, metadata: PixelMetadata): PictureBinding | string {
  const [height, width] = field.tensor!.shape as unknown as Triple;
  const found = `the graph has ${input.dataType} ${shapeText(input.shape)}`;
  const shapes = { NHWC: [-1, height, width, 3], NCHW: [-1, 3, height, width] };
  const said = metadata.input === input.name ? metadata : {};
  const channels = said.channels ?? 'RGB';
  if (channels !== 'RGB' && channels !== 'BGR') {
    return `takes ${String(channels)} pixels, and ${field.name} is a picture in RGB; export the graph for RGB or BGR`;
  }
  const layouts: readonly PictureBinding['layout'][] =
    said.layout === 'NHWC' || said.layout === 'NCHW' ? [said.layout] : ['NHWC', 'NCHW'];
  const layout = layouts.find((each) => isShape(input.shape, shapes[each]));
  if (layout === undefined || !(isFloat(input.dataType) || input.dataType === 'uint8')) {
    const wanted = layouts.map((each) => shapeText(shapes[each])).join(' or ');
    return `must be uint8, float32 or float64 of shape ${wanted}, because ${field.name} is a picture; ${found}`;
  }
  return { height, width, layout, channels, ...normalization(said) };
}

/** (pixel * rescale - mean) / std. */
function normalization({ rescale, mean, std }: PixelMetadata): Pick<PictureBinding, 'scale' | 'offset'> {
  const factor = typeof rescale === 'number' ? rescale : 1;
  const means = triple(mean, 0);
  const deviations = triple(std, 1);
  const each = (of: (channel: 0 | 1 | 2) => number): Triple => [of(0), of(1), of(2)];
  return {
    scale: each((channel) => factor / deviations[channel]),
    offset: each((channel) => 0 - means[channel] / deviations[channel]),
  };
}

function triple(values: unknown, otherwise: number): Triple {
  const [a, b, c]: unknown[] = Array.isArray(values) ? values : [];
  const number = (value: unknown) => (typeof value === 'number' ? value : otherwise);
  return [number(a), number(b), number(c)];
}

export function isShape(shape: readonly number[], expected: readonly number[]): boolean {
  return shape.length === expected.length && shape.every((extent, axis) => extent === expected[axis]);
}
