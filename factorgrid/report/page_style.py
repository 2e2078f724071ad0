"""The page's style sheet and its few lines of script."""

STYLE = """
:root { --ink:#1d1d1f; --soft:#5c5f66; --line:#dcdee3; --back:#ffffff; --shade:#f5f6f8; --link:#0b5cad;
  --yes:#00694e; --no:#a63d00; --partly:#7a5200; --unknown:#5c5f66; --mark:#eef4fb; }
@media (prefers-color-scheme: dark) { :root { --ink:#e8e9ec; --soft:#a5a9b3; --line:#3a3d45; --back:#15171b;
  --shade:#1e2127; --link:#7db8f2; --yes:#4fd3aa; --no:#ff9c66; --partly:#f0c25a; --unknown:#a5a9b3; --mark:#1b2733; } }
* { box-sizing:border-box; }
html { -webkit-text-size-adjust:100%; scroll-padding-top:1rem; }
body { margin:0; background:var(--back); color:var(--ink); overflow-wrap:break-word;
  font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif; }
a { color:var(--link); }
header, .columns { max-width:86rem; margin:0 auto; padding:0 1.25rem; }
header { padding-top:2.25rem; }
h1 { font-size:1.9rem; line-height:1.2; margin:0 0 .4rem; letter-spacing:-.01em; }
h2 { font-size:1.3rem; margin:2.6rem 0 .8rem; padding-top:1rem; border-top:1px solid var(--line); }
h3 { font-size:1.02rem; margin:0 0 .25rem; }
p { margin:0 0 .8rem; max-width:46rem; }
.lead { color:var(--soft); max-width:46rem; }
.facts { display:grid; grid-template-columns:repeat(auto-fit,minmax(min(15rem,100%),1fr)); gap:.8rem 2rem;
  margin:1.4rem 0 0; padding:1rem 0 0; border-top:1px solid var(--line); }
.facts dt { color:var(--soft); font-size:.8rem; }
.facts dd { margin:0; font-size:.95rem; }
.columns { display:grid; grid-template-columns:minmax(0,1fr); padding-bottom:4rem; }
nav { font-size:.88rem; margin-top:1.5rem; }
nav ol { list-style:none; margin:.3rem 0; padding:0; }
nav ol ol { padding-left:.9rem; }
nav li { margin:.2rem 0; line-height:1.35; }
nav a { text-decoration:none; }
nav a:hover { text-decoration:underline; }
summary { cursor:pointer; color:var(--soft); }
@media (min-width:72rem) { .columns { grid-template-columns:13rem minmax(0,1fr); gap:2rem; }
  nav { position:sticky; top:1.5rem; align-self:start; max-height:calc(100vh - 3rem); overflow:auto; }
  main section:first-child h2 { border-top:0; margin-top:1rem; padding-top:0; } }
.block { margin:0 0 2.4rem; }
.caption { color:var(--soft); font-size:.88rem; line-height:1.45; max-width:52rem; margin:0 0 .6rem; }
.files a { margin-right:.35rem; font-size:.8rem; white-space:nowrap; }
.scroll { overflow-x:auto; width:fit-content; max-width:100%; border:1px solid var(--line); border-radius:6px; }
.panel { background:#fff; padding:.5rem; width:auto; }
img { display:block; max-width:100%; height:auto; margin:0 auto; }
@media (max-width:44rem) { .panel img { max-width:44rem; margin:0; } }
table { border-collapse:collapse; font-size:.88rem; font-variant-numeric:tabular-nums; }
th, td { padding:.42rem .55rem; text-align:right; vertical-align:top; white-space:nowrap;
  border-bottom:1px solid var(--line); }
tbody tr:last-child > * { border-bottom:0; }
tbody tr:hover > * { background:var(--mark); }
th:first-child { text-align:left; position:sticky; left:0; background:var(--back); font-weight:500; z-index:1; }
tbody th:first-child { white-space:normal; min-width:min(7rem,30vw); max-width:15rem; }
thead th { background:var(--shade); padding:0; font-weight:600; vertical-align:bottom; }
thead th:first-child { background:var(--shade); font-weight:600; }
thead button { all:unset; box-sizing:border-box; width:100%; padding:.45rem .55rem; cursor:pointer; }
thead button:focus-visible, a:focus-visible, summary:focus-visible, .scroll:focus-visible {
  outline:2px solid var(--link); outline-offset:-2px; }
thead button::after { content:""; display:inline-block; width:.8em; }
th[aria-sort=ascending] button::after { content:" \\2191"; }
th[aria-sort=descending] button::after { content:" \\2193"; }
td b { font-weight:500; }
td small { display:block; color:var(--soft); font-size:.78rem; }
td.best b { font-weight:750; }
td.none, td.none small { color:var(--soft); }
.words, .words button { text-align:left; } td.long { white-space:normal; min-width:16rem; }
td.paper b, td.paper, th.paper { color:var(--soft); font-weight:400; }
.tall { max-height:36rem; overflow-y:auto; } .tall thead th { position:sticky; top:0; z-index:2; }
.tall thead th:first-child { z-index:3; }
.notes { font-size:.85rem; color:var(--soft); margin:.5rem 0 0; }
.notes ul { margin:.3rem 0 0; padding-left:1.2rem; }
.claims { list-style:none; margin:0; padding:0; }
.claims > li { border:1px solid var(--line); border-left:4px solid var(--unknown); border-radius:6px;
  padding:.8rem 1rem; margin:0 0 .8rem; }
.claims > li.yes { border-left-color:var(--yes); } .claims > li.no { border-left-color:var(--no); }
.claims > li.partly { border-left-color:var(--partly); }
.claims p { margin:.25rem 0 0; font-size:.9rem; }
.claims .what { font-size:1rem; font-weight:600; margin:.1rem 0 .2rem; max-width:none; }
.claims .where, .claims .test { color:var(--soft); font-size:.82rem; font-weight:400; }
.numbers { margin-top:.5rem; font-size:.88rem; }
.numbers .block { margin:.6rem 0 0; }
.badge { display:inline-block; font-size:.8rem; font-weight:650; color:var(--unknown); }
.badge.yes { color:var(--yes); } .badge.no { color:var(--no); } .badge.partly { color:var(--partly); }
.warning { border-left:4px solid var(--no); background:var(--shade); padding:.7rem 1rem; border-radius:4px;
  max-width:none; margin:1.2rem 0 0; }
.warning ul { margin:.3rem 0 0; padding-left:1.2rem; font-size:.9rem; }
.reasons dt { font-weight:600; font-size:.95rem; } .reasons dd { margin:0 0 .7rem; color:var(--soft); font-size:.9rem; }
@media (prefers-color-scheme: dark) { .panel:has(img.drawn) { background:#000; }
  img.drawn { filter:invert(1) hue-rotate(180deg); } }
@media print {
  :root { --ink:#000; --soft:#333; --line:#bbb; --back:#fff; --shade:#f3f3f3; --link:#000; --yes:#00694e; --no:#a63d00;
    --partly:#7a5200; --unknown:#444; --mark:#fff; }
  @page { size:A4; margin:14mm 12mm; }
  body { font-size:10pt; } header, .columns { max-width:none; padding:0; display:block; }
  nav, .files, thead button::after { display:none; }
  h2, h3, .caption, .what, summary { break-after:avoid; } h2 { margin-top:1.2rem; }
  figure, .claims > li, tr, .facts > div { break-inside:avoid; }
  details:not([open]) > *:not(summary) { display:block; }
  details::details-content { content-visibility:visible; display:block; height:auto; }
  .scroll, .tall { overflow:visible; max-height:none; width:100%; border:0; }
  table { width:100%; font-size:7.5pt; } thead { display:table-header-group; }
  th, td { white-space:normal; position:static !important; padding:.2rem .25rem; min-width:0 !important; }
  .many table { font-size:6pt; } .crowded table { font-size:5pt; }
  .crowded th, .crowded td { overflow-wrap:anywhere; padding:.1rem; }
  td small { font-size:90%; } thead button { display:contents; }
  td.long { min-width:0; } img { max-height:235mm; width:auto; max-width:100%; object-fit:contain; }
  img.drawn { filter:none; } .panel { background:#fff; padding:0; }
}
"""

# Clicking a head sorts by the numbers of the cells, or by text; empty cells stay below.
SCRIPT = """
document.querySelectorAll('table').forEach(function (table) {
  var heads = Array.from(table.tHead.rows[0].cells), body = table.tBodies[0];
  function key(row, column) {
    var cell = row.cells[column], text = cell.textContent.trim();
    if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
    return text === '' || cell.classList.contains('none') ? null : text;
  }
  heads.forEach(function (head, column) {
    head.querySelector('button').addEventListener('click', function () {
      var down = head.getAttribute('aria-sort') === 'ascending' ? -1 : 1;
      heads.forEach(function (other) { other.setAttribute('aria-sort', 'none'); });
      head.setAttribute('aria-sort', down === 1 ? 'ascending' : 'descending');
      Array.from(body.rows).map(function (row) { return [key(row, column), row]; }).sort(function (a, b) {
        if (a[0] === null || b[0] === null) return (a[0] === null) - (b[0] === null);
        if (typeof a[0] === 'number' && typeof b[0] === 'number') return down * (a[0] - b[0]);
        return down * String(a[0]).localeCompare(String(b[0]));
      }).forEach(function (pair) { body.appendChild(pair[1]); });
    });
  });
});
// on paper nothing is folded
var folded = [];
window.addEventListener('beforeprint', function () {
  folded = Array.from(document.querySelectorAll('details:not([open])'));
  folded.forEach(function (one) { one.setAttribute('open', ''); });
});
window.addEventListener('afterprint', function () {
  folded.forEach(function (one) { one.removeAttribute('open'); });
});
if (window.matchMedia('(max-width: 72rem)').matches) document.querySelector('nav details').removeAttribute('open');
"""
