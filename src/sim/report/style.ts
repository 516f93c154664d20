/**
 * The look of the report. Colours that differ in brightness, not only in hue, so that they stay apart on paper and for
 * people who see colours differently.
 */
export const STYLE = `
:root { color-scheme: light dark; --text: #1c2330; --back: #ffffff; --soft: #5b6575; --line: #d9dee6;
  --work: #2b6cb0; --boot: #e08a1e; --idle: #c3ccd8; --wait: #8a4fa3; --bound: #5a7d52; --cost: #2f8f83; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6eaf0; --back: #14181f; --soft: #9aa5b5; --line: #333c49;
    --work: #63a4e8; --boot: #f2ad55; --idle: #5d6878; --wait: #bb86d3; --bound: #8db884; --cost: #56bdb0; }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); max-width: 1120px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; } h3 { font-size: 1rem; margin: 1.2rem 0 0.2rem; }
p { margin: 0.2rem 0; color: var(--soft); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.8rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.3rem 0.4rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
thead th { color: var(--soft); font-weight: 500; white-space: normal; vertical-align: bottom; }
tbody th { text-align: left; font-weight: 500; } tbody tr.least { color: var(--soft); }
svg { width: 100%; height: auto; display: block; }
svg text { font-size: 12px; fill: var(--soft); font-variant-numeric: tabular-nums; }
.work { fill: var(--work); background: var(--work); } .boot { fill: var(--boot); background: var(--boot); }
.idle { fill: var(--idle); background: var(--idle); } .wait { fill: var(--wait); background: var(--wait); }
.bound { fill: var(--bound); background: var(--bound); } .cost { fill: var(--cost); background: var(--cost); }
.grid { stroke: var(--line); stroke-width: 1; }
.legend span { margin-right: 1.2rem; white-space: nowrap; } .legend i { display: inline-block; width: 0.8em; height: 0.8em; margin-right: 0.4em; }
`;
