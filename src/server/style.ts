import { createHash } from "node:crypto";

/** The one style sheet, inline, so that the page needs nothing else. */
export const style = `
:root { color-scheme: light dark; --line: #8884; --soft: #8888; --good: #1a7f37; --bad: #cf222e; --warn: #9a6700; }
@media (prefers-color-scheme: dark) { :root { --good: #3fb950; --bad: #ff7b72; --warn: #d29922; } }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
header { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: baseline; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
p { margin: .5rem 0; }
nav { margin-left: auto; display: flex; gap: 1rem; }
.soft { color: var(--soft); }
.good { color: var(--good); }
.bad { color: var(--bad); }
.warn { color: var(--warn); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; font-size: .85rem; white-space: nowrap; }
td.number, th.number { text-align: right; }
td.reason { overflow-wrap: anywhere; min-width: 12rem; }
`;

/** What a Content-Security-Policy names to allow just this sheet. */
export const styleHash = `sha256-${createHash("sha256").update(style).digest("base64")}`;
