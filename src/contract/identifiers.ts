/** Names that Thrift and the languages behind it take, made of any text. */

/** Thrift's own words, those that Thrift's compilers have refused, and what generated classes already have. */
const RESERVED = new Set(
  `abstract alias and any args array as assert async await base begin binary bool boolean break byte case catch char class
  clone const constructor continue cpp_include cpp_type debugger declare def default del delete do double dynamic elif
  else elseif elsif end enddeclare endfor endforeach endif endswitch endwhile ensure enum error eval except exception
  exec export extends false final finally float for foreach from function global goto i16 i32 i64 i8 if implements
  import in include inline input instanceof int interface is isset lambda let list long map match module namespace
  native new next nil none not null number object oneway optional or output package pass print private promise
  protected prototype public raise read redo reference register required rescue retry return self senum service set
  short signed sizeof static string struct super switch symbol synchronized then this throw throws transient true try
  type typedef typeof undef undefined union unless unsigned until use uuid validate var virtual void volatile when while
  with write xor xsd_all xsd_attrs xsd_nillable xsd_optional yield prediction training registry feedback operations
  parley date function unspecified unknown unset invalid`.split(/\s+/),
);

const LONGEST = 60;

/** Words of letters and digits: `Sepal.Length (cm)` is sepal, length, cm. */
function wordsOf(text: string): string[] {
  const plain = text.normalize('NFKD').replace(/\p{M}/gu, '').replaceAll('ß', 'ss').replaceAll('%', ' percent ');
  const split = plain.replace(/([a-z0-9])([A-Z])/g, '$1 $2').replace(/([A-Z])([A-Z][a-z])/g, '$1 $2');
  return split.match(/[A-Za-z0-9]+/g) ?? [];
}

/** `bill_length_mm`; a name that would start with a digit, or be empty, starts with `otherwise`. */
export function snakeCase(text: string, otherwise: string): string {
  const name = wordsOf(text).join('_').toLowerCase().slice(0, LONGEST).replace(/_$/, '');
  return /^[a-z]/.test(name) ? name : [otherwise, name].filter((part) => part !== '').join('_');
}

/** `BillLength` */
export function pascalCase(text: string, otherwise: string): string {
  const words = snakeCase(text, otherwise).split('_');
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

/** Gives each name once; a reserved or taken one gets a suffix. */
export class Names {
  readonly #taken = new Set<string>();

  /** @returns `wanted`, or that with `_2`, `_3` … behind it; letters' case does not tell names apart */
  take(wanted: string): string {
    let name = RESERVED.has(wanted.toLowerCase()) ? `${wanted}_` : wanted;
    for (let count = 2; this.#taken.has(name.toLowerCase()); count++) name = `${wanted}_${count}`;
    this.#taken.add(name.toLowerCase());
    return name;
  }
}
