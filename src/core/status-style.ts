/**
 * The style sheet of the status page. Colours come in pairs for light and dark, and each text has a contrast of
 * at least 4.5 to 1 with what is behind it, each line and mark one of 3 to 1.
 */
export const style = `
:root{color-scheme:light dark;--back:#fff;--box:#f6f8fa;--text:#1f2328;--quiet:#59636e;--edge:#d1d9e0;--link:#0860c4;--held:#2a78c9;--none:#e3e8ed;--area:#2a78c926;--pass:#176f32;--warn:#8a5a00;--fail:#b5202b;--unknown:#6a3fb8;--pass-box:#e6f6ea;--warn-box:#fdf3d8;--fail-box:#fdebec;--unknown-box:#f2ebfd}
@media (prefers-color-scheme:dark){:root{--back:#0f141a;--box:#171d25;--text:#e8edf2;--quiet:#a0aab4;--edge:#36404b;--link:#74b3ff;--held:#58a1f0;--none:#262f39;--area:#58a1f026;--pass:#56c974;--warn:#e3b04b;--fail:#ff7b80;--unknown:#b996f7;--pass-box:#14281b;--warn-box:#2c2412;--fail-box:#341a1d;--unknown-box:#251c38}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%;scroll-padding-top:1rem}
body{margin:0 auto;max-width:72rem;padding:1.25rem clamp(.75rem,3vw,2rem) 3rem;background:var(--back);color:var(--text);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;overflow-wrap:anywhere}
a{color:var(--link)}
code{font:.875em/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace}
h1,h2,h3{line-height:1.25;margin:0}
h1{font-size:clamp(1.5rem,4.5vw,2.1rem);letter-spacing:-.01em}
h2{font-size:1.2rem}
h3{font-size:1rem;margin-top:1.75rem}
p{margin:.4rem 0}
:focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:4px}
main:focus{outline:none}
.skip{position:absolute;left:-99rem;top:0;background:var(--back);padding:.5rem 1rem;z-index:1}
.skip:focus{left:.5rem;top:.5rem}
header{border-left:6px solid var(--verdict);padding:.1rem 0 .1rem 1rem;margin-bottom:1.75rem}
.pass{--verdict:var(--pass);--verdict-box:var(--pass-box)}
.warn{--verdict:var(--warn);--verdict-box:var(--warn-box)}
.fail{--verdict:var(--fail);--verdict-box:var(--fail-box)}
.unknown{--verdict:var(--unknown);--verdict-box:var(--unknown-box)}
.brand{margin:0;font-size:.8rem;font-weight:600;letter-spacing:.08em;text-transform:uppercase;color:var(--quiet)}
.lead{display:flex;flex-wrap:wrap;gap:.25rem .75rem;align-items:center;color:var(--quiet);margin:.6rem 0 0}
.quiet{color:var(--quiet);font-size:.875rem}
.badge{display:inline-flex;align-items:center;gap:.35rem;padding:.05rem .55rem .05rem .4rem;border-radius:1rem;background:var(--verdict-box);color:var(--verdict);font-size:.875rem;font-weight:600;white-space:nowrap;vertical-align:middle}
.sign{width:.95rem;height:.95rem;flex:none;fill:var(--verdict)}
.sign path{fill:none;stroke:var(--verdict-box);stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
.sign .solid{fill:var(--verdict);stroke:none}
.scroll{overflow-x:auto;margin:.6rem 0;border:1px solid var(--edge);border-radius:8px;background:var(--back)}
.tall{max-height:26rem;overflow-y:auto}
table{border-collapse:collapse;width:100%;font-size:.9rem;overflow-wrap:normal}
caption{text-align:left;padding:.5rem .75rem;color:var(--quiet);font-size:.85rem}
th,td{padding:.45rem .75rem;text-align:left;border-top:1px solid var(--edge);vertical-align:top;white-space:nowrap}
thead th{font-size:.8rem;color:var(--quiet);font-weight:600;background:var(--box)}
tbody th{font-weight:600}
.n{text-align:right;font-variant-numeric:tabular-nums}
.next,td:last-child{white-space:normal;min-width:14rem}
.overview td,.overview th{vertical-align:middle}
.aged .age{display:block;margin-top:.15rem}
.sized{font-variant-numeric:tabular-nums}.bars{fill:var(--held);vertical-align:-3px;margin-left:.5rem}
.age .rail{fill:var(--none)}
.age .used{fill:var(--pass)}
.age.over .used{fill:var(--fail)}
.source{margin:1rem 0;border:1px solid var(--edge);border-radius:10px;background:var(--back)}
.source>summary{display:flex;flex-wrap:wrap;align-items:center;gap:.25rem .75rem;padding:.8rem 1rem;background:var(--box);border-radius:9px;cursor:pointer}
.source[open]>summary{border-bottom:1px solid var(--edge);border-radius:9px 9px 0 0}
.source>summary::before{content:"";width:.5rem;height:.5rem;border:solid var(--quiet);border-width:0 2px 2px 0;transform:rotate(-45deg);flex:none}
.source[open]>summary::before{transform:rotate(45deg)}
.source>summary::-webkit-details-marker{display:none}
.source>summary{list-style:none}
.inside{padding:1rem clamp(.75rem,2.5vw,1.5rem) 1.25rem;scroll-margin-top:4.5rem}
summary{cursor:pointer}
.inside details>summary{font-size:.9rem;padding:.2rem 0}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,12rem),1fr));gap:1rem;margin:0}
.facts dt{font-size:.8rem;color:var(--quiet)}
.facts dd{margin:0;font-weight:600;overflow-wrap:anywhere}
.facts dd .quiet,.facts code{display:inline-block;font-weight:400}
.facts .age{display:block;margin:.3rem 0}
.findings{list-style:none;margin:1.25rem 0 0;padding:0;display:grid;gap:.6rem}
.findings li{border-left:4px solid var(--verdict);background:var(--verdict-box);border-radius:0 8px 8px 0;padding:.6rem .9rem}
.findings .badge{padding-left:0;margin-right:.3rem}
.findings .quiet{color:inherit}
.months{display:grid;grid-template-columns:repeat(4,minmax(0,1fr));gap:.9rem;margin:.75rem 0}
@media (min-width:32rem){.months{grid-template-columns:repeat(6,minmax(0,1fr))}}
@media (min-width:60rem){.months{grid-template-columns:repeat(12,minmax(0,1fr))}}
.month-name{display:block;font-size:.8rem;color:var(--quiet);margin-bottom:.2rem}
.month svg{display:block;width:100%;max-width:112px}
.none{fill:var(--none)}
.held{fill:var(--held)}
.bad{fill:var(--fail)}
.dot{fill:var(--back)}
.cross{fill:none;stroke:var(--back);stroke-width:1.8;stroke-linecap:round}
.ring{fill:none;stroke:var(--text);stroke-width:1.5}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1.1rem;margin:.5rem 0;padding:0;font-size:.85rem;color:var(--quiet)}
.key{vertical-align:-2px;margin-right:.2rem}
.curves{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,17rem),1fr));gap:1.25rem;margin-top:.6rem}
.curve{margin:0;min-width:0}
.curve figcaption{font-size:.9rem;color:var(--quiet)}
.curve figcaption strong{color:var(--text);margin-left:.25rem}
.curve>svg{display:block;width:100%;height:auto}
.grid{stroke:var(--edge);stroke-width:1}
.tick{font-size:11px;fill:var(--quiet);font-variant-numeric:tabular-nums}
.line{fill:none;stroke:var(--held);stroke-width:2;stroke-linejoin:round}
.area{fill:var(--area)}
.point{fill:var(--held)}
.retention{font-size:.9rem}
footer{margin-top:2rem;border-top:1px solid var(--edge);color:var(--quiet);font-size:.85rem}
@media print{body{max-width:none;padding:0;font-size:10pt}.skip{display:none}.scroll,.tall{overflow:visible;max-height:none}details::details-content{content-visibility:visible;block-size:auto}.source{break-inside:auto}.month,.curve,.findings li,tr{break-inside:avoid}th,td{white-space:normal}}
`;
