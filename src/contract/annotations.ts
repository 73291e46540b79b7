/** The annotations that a contract may use: one table, from which parsing and the docs are driven. */
import { METRICS, metricOf } from './metrics.js';

export { METRICS } from './metrics.js';

/** What an annotation can stand behind. */
export type AnnotationPlace = 'request field' | 'response field' | 'enum member' | 'service';

export interface AnnotationRow {
  /** `accept.<metric>` stands for every row of {@link METRICS}, `accept.<number>` for any number from 1. */
  readonly key: string;
  readonly places: readonly AnnotationPlace[];
  readonly meaning: string;
  readonly example: string;
}

export const ANNOTATIONS: readonly AnnotationRow[] = [
  {
    key: 'min',
    places: ['request field'],
    meaning:
      'the smallest number that is taken, of a list, a map or raw bytes: of each; smaller ones are refused with INVALID_INPUT',
    example: 'min = "20"',
  },
  {
    key: 'max',
    places: ['request field'],
    meaning: 'the largest number that is taken',
    example: 'max = "80"',
  },
  {
    key: 'values',
    places: ['request field'],
    meaning:
      'the only strings that are taken, separated by commas; spaces around them do not count. Of a map keyed by strings: its keys, all of them, in the order in which the graph takes their values',
    example: 'values = "Biscoe,Dream,Torgersen"',
  },
  {
    key: 'pattern',
    places: ['request field'],
    meaning:
      "a regular expression in RE2's syntax (no look-around, no back-references), which the whole string must match",
    example: 'pattern = "[A-Z]{2}[0-9]{4}"',
  },
  {
    key: 'max_bytes',
    places: ['request field'],
    meaning: 'the longest string that is taken, in bytes of UTF-8; of binary, the most bytes',
    example: 'max_bytes = "4096"',
  },
  {
    key: 'missing',
    places: ['request field'],
    meaning:
      'what an absent value means: `refused` (the default), `allowed` (the model is told that it is missing: NaN, or an empty string), `default` (the value after the equals sign, which is also what writing one means), or a number that stands for it and need not be within `min` and `max`',
    example: 'missing = "allowed"',
  },
  {
    key: 'shape',
    places: ['request field', 'response field'],
    meaning:
      'how many values a list or raw bytes hold, row by row; without it any number. A list in a response must have it',
    example: 'shape = "2,3"',
  },
  {
    key: 'data_type',
    places: ['request field'],
    meaning: 'what raw bytes hold, little-endian: float32, float64, int8 to int64, uint8 to uint64, or bool',
    example: 'data_type = "float32"',
  },
  {
    key: 'encoding',
    places: ['request field'],
    meaning:
      'how a picture may arrive in binary, one or more of: `rgb8` (height x width x 3 bytes, row by row), `png`, `jpeg`',
    example: 'encoding = "rgb8,png,jpeg"',
  },
  {
    key: 'height',
    places: ['request field'],
    meaning: 'of a picture, in pixels',
    example: 'height = "32"',
  },
  {
    key: 'width',
    places: ['request field'],
    meaning: 'of a picture, in pixels',
    example: 'width = "32"',
  },
  {
    key: 'unit',
    places: ['request field', 'response field'],
    meaning: "the number's unit, for messages and docs",
    example: 'unit = "mm"',
  },
  {
    key: 'sensitive',
    places: ['request field'],
    meaning:
      'never logged and never shown: what was sent stands in no log, no message and no list of problems; on a struct or union, of all that it holds',
    example: 'sensitive = "true"',
  },
  {
    key: 'role',
    places: ['request field', 'response field'],
    meaning:
      "what the field is for. In a request: `feature` (the default), `id` (the caller's own key), `time` (when the row happened) and `weight` (how much it counts), which training and monitoring go by, `ignored`; only features are fed to the model. In a response: `label`, `probability` (a map from class to double), `probability_of_positive`, `confidence` (the largest probability), `value` (a regression's answer), `interval_low` and `interval_high` (the ends of its prediction interval), `provenance` (implied by its type)",
    example: 'role = "label"',
  },
  {
    key: 'label',
    places: ['enum member'],
    meaning: "the class as data and graphs spell it; the member's name when absent",
    example: 'label = "Adelie"',
  },
  {
    key: 'positive',
    places: ['enum member'],
    meaning: 'the class that precision, recall and `probability_of_positive` are about',
    example: 'positive = "true"',
  },
  {
    key: 'model',
    places: ['service'],
    meaning: 'the name of the model that answers this service',
    example: 'model = "penguins"',
  },
  {
    key: 'changes',
    places: ['service'],
    meaning:
      'how this contract and the next ones come into force: `agreed` (proposed by one, agreed to by another); plain publication when absent',
    example: 'changes = "agreed"',
  },
  {
    key: 'accept.<metric>',
    places: ['service'],
    meaning: 'a bound that a version must keep on the fixtures before it can be promoted',
    example: 'accept.recall = ">= 0.95"',
  },
  {
    key: 'accept.<metric>.drop',
    places: ['service'],
    meaning: 'a bound on how much worse than the version in production now a version may be on the fixtures',
    example: 'accept.f1.drop = "<= 0.01"',
  },
  {
    key: 'accept.<metric>.gain',
    places: ['service'],
    meaning:
      'a bound on how much better than the baseline (the commonest class, or the mean) a version must be on the fixtures',
    example: 'accept.accuracy.gain = ">= 0.1"',
  },
  {
    key: 'accept.<number>',
    places: ['service'],
    meaning:
      'a bound in the general form: a metric, in parentheses a class, a mean over classes or a level, in brackets a slice of the fixtures, and the bound',
    example: 'accept.1 = "recall(macro)[island=Biscoe] >= 0.9"',
  },
  {
    key: 'accept.baseline',
    places: ['service'],
    meaning:
      'what a version must beat by more than chance: `majority` (always the commonest class) or `mean` (always the mean)',
    example: 'accept.baseline = "majority"',
  },
  {
    key: 'accept.confidence',
    places: ['service'],
    meaning:
      'with it, the worse end of the two-sided confidence interval of this level must keep each bound on the fixtures, and not the figure alone',
    example: 'accept.confidence = "0.95"',
  },
  {
    key: 'accept.min_fixtures',
    places: ['service'],
    meaning: 'fewer fixtures than this, or fewer in a slice that a bound is on, accept nothing',
    example: 'accept.min_fixtures = "100"',
  },
  {
    key: 'accept.guards',
    places: ['service'],
    meaning: 'aliases beside `production` that only accepted versions may have, separated by commas',
    example: 'accept.guards = "candidate"',
  },
];

/** Keys that belong to Thrift compilers; they pass, and mean nothing here. */
export const FOREIGN_ANNOTATION = /^(?:deprecated|(?:cpp|d|delphi|go|java|js|kotlin|netstd|php|py|rb|rs|swift)\..+)$/;

const ACCEPT = 'accept.';
const METRIC_KEY = `${ACCEPT}<metric>`;
const NUMBERED_KEY = `${ACCEPT}<number>`;
/** How a bound that is relative ends its metric's name. */
export const RELATIVE = { drop: 'production', gain: 'baseline' } as const;

/** Every key that may stand at `place`, `accept.<metric>` spelled out, `accept.<number>` left out. */
export function annotationKeys(place: AnnotationPlace): readonly string[] {
  return ANNOTATIONS.filter((row) => row.places.includes(place) && row.key !== NUMBERED_KEY).flatMap((row) =>
    row.key.startsWith(METRIC_KEY) ? METRICS.map(({ name }) => row.key.replace('<metric>', name)) : [row.key],
  );
}

/** `accept.1`, `accept.2` … */
export const isNumberedBound = (key: string): boolean => /^accept\.[1-9]\d{0,5}$/.test(key);

/** Where else than where it was found a key may stand; empty for a key that nothing knows. */
export function placesOf(key: string): readonly AnnotationPlace[] {
  if (isNumberedBound(key)) return ['service'];
  const [, metric, relative] = /^accept\.(\w+)(?:\.(\w+))?$/.exec(key) ?? [];
  if (metricOf(metric ?? '') !== undefined && (relative === undefined || Object.hasOwn(RELATIVE, relative)))
    return ['service'];
  return ANNOTATIONS.find((row) => row.key === key)?.places ?? [];
}
