/** Texts and names as SQL spells them. */

/** A text in SQL. */
export const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;
/** A name in SQL. */
export const identifier = (name: string) => `"${name.replaceAll('"', '""')}"`;
