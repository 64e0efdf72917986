const decoder = document.createElement("textarea");

/**
 * Stands in for the package `entities`, of which the Markdown parser uses this one function: the browser knows the names
 * of all characters already, and a table of them would be an eighth of the first JavaScript. `text` is one reference,
 * such as `&amp;`; as the text of a textarea it can do nothing but be decoded.
 */
export function decodeHTMLStrict(text: string): string {
  decoder.innerHTML = text;
  return decoder.value;
}
