/** Makes a text fit on one line: without line ends, which would forge a line, and without orders to the terminal. */
export function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, " ");
}
