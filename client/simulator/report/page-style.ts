import { CHART_STYLE } from '../../../shared/charts/chart-style.ts'

/** The page's only style: system fonts, colours by what the reader's system prefers. */
export const PAGE_STYLE = `${CHART_STYLE}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0;background:var(--background);color:var(--text);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
header,nav,main,footer{max-width:76rem;margin:0 auto;padding:0 1rem}
header{padding-top:2rem}
h1{font-size:1.75rem;line-height:1.2;margin:0 0 .25rem;font-weight:700;letter-spacing:-.01em}
h2{font-size:1.3rem;line-height:1.3;margin:2.75rem 0 .5rem;padding-top:.75rem;border-top:1px solid var(--grid)}
h3{font-size:1rem;margin:1.5rem 0 .25rem}
p{max-width:46rem;margin:.5rem 0}
header p{max-width:none}
.lead{font-size:1.1rem}
.muted,.note,caption,footer{color:var(--muted)}
.note{font-size:.875rem;margin:.25rem 0 0}
a{color:var(--s0)}
:focus-visible{outline:3px solid var(--s0);outline-offset:2px;border-radius:2px}
.skip{position:absolute;left:-999rem}
.skip:focus{left:1rem;top:.5rem;background:var(--background);padding:.5rem;z-index:1}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;list-style:none;margin:1rem 0 0;padding:0}
nav a{display:inline-block;padding:.25rem 0}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,23rem),1fr));gap:1.5rem 2rem;margin:1rem 0;align-items:start}
.pair{grid-template-columns:repeat(auto-fill,minmax(min(100%,30rem),1fr))}
figure{margin:0;min-width:0}
figcaption{font-weight:600;margin-bottom:.4rem}
.scroll{overflow-x:auto;margin:1rem 0;max-width:100%}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
caption{text-align:left;padding-bottom:.35rem;font-size:.875rem}
caption span{display:inline-block;position:sticky;left:0;max-width:min(46rem,calc(100vw - 2rem))}
th,td{padding:.3rem .6rem;border-bottom:1px solid var(--grid);text-align:right;white-space:nowrap}
thead th{white-space:normal;min-width:5.5rem;border-bottom-color:var(--muted);vertical-align:bottom;font-weight:600}
th:first-child{text-align:left;padding-left:0;background:var(--background)}
@media (min-width:40rem){th:first-child{position:sticky;left:0}}
tbody th{font-weight:500}
.words th,.words td{text-align:left}
details{margin:.5rem 0}
summary{cursor:pointer;padding:.35rem 0;font-weight:600}
pre{overflow-x:auto;padding:.75rem;border:1px solid var(--grid);border-radius:4px;font:.875rem/1.45 ui-monospace,monospace;white-space:pre-wrap}
code{font-family:ui-monospace,monospace;font-size:.9em}
.legend{display:flex;flex-wrap:wrap;gap:.1rem 1rem;list-style:none;padding:0;margin:.4rem 0 0;font-size:.875rem}
.legend li::before{content:"";display:inline-block;width:.75em;height:.75em;margin-right:.4em;background:var(--c)}
footer{margin-top:3rem;padding-top:1rem;padding-bottom:3rem;font-size:.875rem}
@media print{.skip,nav{display:none}h2{break-after:avoid}figure{break-inside:avoid}}
`
