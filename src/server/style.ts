import { createHash } from "node:crypto";

/** The one style sheet, inline, so that the page needs nothing else. All text has a contrast of at least 4.5. */
export const style = `
:root { color-scheme: light dark; --text: #1f2328; --back: #fff; --card: #f6f8fa; --line: #d1d9e0; --soft: #59636e;
  --link: #0969da; --good: #1a7f37; --bad: #b91c1c; --warn: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --text: #f0f6fc; --back: #0d1117; --card: #151b23; --line: #3d444d;
  --soft: #9198a1; --link: #58a6ff; --good: #3fb950; --bad: #ff7b72; --warn: #d29922; } }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); max-width: 60rem;
  margin: 0 auto; padding: 1.5rem 1rem 3rem; overflow-wrap: anywhere; }
header { display: flex; flex-wrap: wrap; gap: .25rem 1rem; align-items: baseline; }
nav { margin-left: auto; display: flex; gap: 1rem; }
a { color: var(--link); }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 0; display: flex; flex-wrap: wrap; gap: 0 .75rem; align-items: baseline; }
h3 .soft { font-weight: 400; }
p { margin: .25rem 0; }
.soft { color: var(--soft); } .good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
.banner { margin: 1rem 0 0; padding: .6rem 1rem; background: var(--card); border-left: 4px solid; border-radius: 4px; }
.banner ul { margin: .25rem 0 0; padding-left: 1.25rem; }
article { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .75rem 1rem;
  margin: .5rem 0; }
.state { margin-left: auto; }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr)); gap: .5rem .75rem; margin: .5rem 0 0; }
dt { color: var(--soft); font-size: .8rem; }
dd { margin: 0; font-variant-numeric: tabular-nums; }
.reason { margin-top: .5rem; font-size: .9rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .4rem 1rem .4rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; }
th .soft { font-weight: 400; }
thead th { color: var(--soft); font-size: .8rem; font-weight: 400; }
.number { text-align: right; padding-right: 0; white-space: nowrap; }
`;

/** What a Content-Security-Policy names to allow just this sheet. */
export const styleHash = `sha256-${createHash("sha256").update(style).digest("base64")}`;
