/** Makes orders to the terminal visible, such as `\u001b`, and keeps line ends and tabs: for names that others chose. */
export function withoutOrders(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, (order) => `\\u${order.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Makes a text fit on one line: without line ends, which would forge a line, and without orders to the terminal. */
export function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, " ");
}
