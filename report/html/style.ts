/** The page's one style sheet. Contrast of text is at least 4.5:1 in both schemes; colour never stands alone. */
export const css = `
:root{color-scheme:light dark;
--bg:#f5f6f8;--card:#fff;--ink:#1b1f24;--muted:#59636e;--line:#dde1e6;--soft:#eef0f3;--link:#0b5cad;--code:#f3f4f6;
--success:#1a7f37;--failed:#c31d27;--errored:#7a3fd1;--waiting:#8f5d00;--running:#0969da;--skipped:#68717b;--cancelled:#59636e;--pending:#68717b;
--success-bg:#e6f5ea;--failed-bg:#fdecec;--errored-bg:#f3ebfd;--waiting-bg:#fdf3dc;--running-bg:#e7f1fd;--idle-bg:#f3f4f6}
@media (prefers-color-scheme:dark){:root{
--bg:#0e1116;--card:#161b22;--ink:#e6eaef;--muted:#9aa4af;--line:#2c333c;--soft:#20262e;--link:#7ab7ff;--code:#1d232b;
--success:#4cc764;--failed:#ff8079;--errored:#cfa3ff;--waiting:#e0a935;--running:#6cb0ff;--skipped:#929ca7;--cancelled:#9aa4af;--pending:#929ca7;
--success-bg:#12281a;--failed-bg:#331719;--errored-bg:#261b3a;--waiting-bg:#2d2411;--running-bg:#13233a;--idle-bg:#1b2027}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth;scroll-padding-top:16px}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Noto Sans","PingFang SC","Hiragino Sans GB","Microsoft YaHei","Noto Sans CJK SC","Noto Sans SC",sans-serif}
main,header>div,footer{max-width:1340px;margin:0 auto;padding:0 28px}
a{color:var(--link);text-underline-offset:2px}
h1{font-size:27px;line-height:1.25;margin:0;letter-spacing:-.01em}
h2{font-size:18px;margin:36px 0 12px}
h3{font-size:14px;margin:20px 0 6px}
p{margin:6px 0}
code,pre,.mono{font:13px/1.5 ui-monospace,SFMono-Regular,"SF Mono",Menlo,Consolas,"Liberation Mono","Noto Sans Mono CJK SC",monospace}
code,.mono{overflow-wrap:anywhere}
pre{margin:6px 0;padding:10px 12px;background:var(--code);border-radius:8px;overflow:auto;max-height:440px;white-space:pre-wrap;overflow-wrap:anywhere}
.muted{color:var(--muted)}.small{font-size:13px}
.sheet{position:absolute}
.icon{vertical-align:-2px;flex:none}
.cut{fill:none;stroke:var(--card);stroke-width:1.8;stroke-linecap:round;stroke-linejoin:round}
.ring,.line{fill:none;stroke:currentColor;stroke-width:1.6;stroke-linecap:round}
.success{color:var(--success)}.failed{color:var(--failed)}.errored{color:var(--errored)}.waiting{color:var(--waiting)}
.running{color:var(--running)}.skipped{color:var(--skipped)}.cancelled{color:var(--cancelled)}.pending{color:var(--pending)}
header{border-top:6px solid currentColor;background:var(--card);border-bottom:1px solid var(--line)}
header>div{padding-top:26px;padding-bottom:24px;color:var(--ink)}
header .title{display:flex;gap:14px;align-items:center}
header .title .icon{width:34px;height:34px}
header .subject{font-size:16px;margin:8px 0 0 48px;overflow-wrap:anywhere}
dl.facts{display:flex;flex-wrap:wrap;gap:12px 40px;margin:20px 0 0 48px}
dl.facts div{min-width:0}dt{color:var(--muted);font-size:12.5px}dd{margin:0;overflow-wrap:anywhere}
.card{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:18px 22px;margin:0 0 14px}
.scroll{overflow-x:auto}
.now{list-style:none;margin:0;padding:0;display:grid;gap:10px}
.now li{display:grid;grid-template-columns:minmax(220px,34%) 1fr;gap:4px 20px;align-items:baseline}
.now code{background:var(--code);padding:4px 9px;border-radius:6px;display:inline-block;user-select:all}
.fault{border-left:4px solid currentColor;padding:2px 0 2px 16px;margin:12px 0}
.fault>*{color:var(--ink)}.fault .code{color:inherit;font-weight:650}
.fault dl{display:grid;grid-template-columns:auto 1fr;gap:4px 14px;margin:8px 0 0}.fault dd{white-space:pre-wrap;overflow-wrap:anywhere}
.fault .hint{font-weight:600}.fault .hint code{background:var(--code);padding:2px 6px;border-radius:5px}.fault+p{margin-top:22px}
svg.graph,svg.timeline{display:block;max-width:100%;height:auto}
svg.graph.wide{min-width:860px}svg.graph.huge{max-width:none}.scroll:has(.huge){max-height:85vh;overflow:auto}svg.timeline{min-width:720px}
svg text{font-family:inherit;fill:var(--ink)}
.lane{fill:var(--soft);opacity:.75}.lane-name{font-size:12px;font-weight:650;fill:var(--muted)}
.edge{fill:none;stroke:var(--muted);stroke-width:1.4}.edge.idle{stroke-dasharray:4 4;opacity:.6}
svg a{text-decoration:none}
.node rect{fill:var(--card);stroke:currentColor;stroke-width:1.3}
.node .name{font-size:12.5px;font-weight:600}.node .state{font-size:11.5px;fill:var(--muted)}
.node.skipped rect,.node.pending rect,.node.cancelled rect{stroke-dasharray:4 3;stroke-width:1;fill:var(--idle-bg)}
.node.skipped .name,.node.pending .name{font-weight:500;fill:var(--muted)}
.node.failed rect{fill:var(--failed-bg);stroke-width:2}.node.errored rect{fill:var(--errored-bg);stroke-width:2}
.node.waiting rect{fill:var(--waiting-bg);stroke-width:2}.node.running rect{fill:var(--running-bg)}
.node:hover rect,.node:focus-visible rect{stroke-width:2.6}
.grid{stroke:var(--line);stroke-width:1}.tick{font-size:11.5px;fill:var(--muted);text-anchor:middle}
.cut-out{fill:var(--soft)}
.row .hit{fill:transparent}.row:hover .hit{fill:var(--soft)}
.row .name{font-size:12.5px}.row .took{font-size:11.5px;fill:var(--muted)}
.row .bar{fill:currentColor;opacity:.42}.row.critical .bar{opacity:1}.row.critical .name{font-weight:650}
svg.rollout{display:block;max-width:100%;height:auto;min-width:640px}
.rollout .panel{font-size:12px;font-weight:650}.rollout .value{font-size:11.5px;fill:var(--muted);text-anchor:end}
.rollout .share{fill:var(--running);fill-opacity:.2;stroke:var(--running);stroke-width:1.6}
.rollout .new{fill:none;stroke:var(--running);stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}
.rollout .before{fill:none;stroke:var(--muted);stroke-width:1.8;stroke-dasharray:6 4;stroke-linejoin:round}
.rollout .mark{stroke:var(--ink);stroke-width:1;stroke-dasharray:2 3;opacity:.55}.rollout .number{font-size:11px;font-weight:650;text-anchor:middle}
.rollout .pass{fill:var(--success)}.rollout .fail{fill:none;stroke:var(--failed);stroke-width:2.4;stroke-linecap:round}
.rollout .inconclusive{fill:var(--card);stroke:var(--waiting);stroke-width:2}
.marks{margin:6px 0;padding-left:26px;font-size:14px}
table{border-collapse:collapse;width:100%;margin:2px 0;font-size:14px}
th{text-align:left;color:var(--muted);font-weight:500;font-size:12.5px;border-bottom:1px solid var(--line);padding:4px 14px 4px 0}
td{padding:6px 14px 6px 0;border-bottom:1px solid var(--soft);vertical-align:top;overflow-wrap:anywhere}
tbody tr:last-child>*{border-bottom:0}tbody th{color:var(--ink);font-weight:600;font-size:14px;padding:6px 14px 6px 0;border-bottom-color:var(--soft);vertical-align:top}td.keep,.keep{white-space:nowrap}
tr.blocking td{background:var(--failed-bg)}tr.blocking td:first-child{box-shadow:inset 3px 0 var(--failed);padding-left:10px}
.badge{display:inline-block;font-size:12px;line-height:1.5;padding:1px 8px;border-radius:99px;background:var(--soft);color:var(--ink);white-space:nowrap}
.badge.bad{background:var(--failed-bg);color:var(--failed);font-weight:600}.badge.good{background:var(--success-bg);color:var(--success);font-weight:600}
.badge.warn{background:var(--waiting-bg);color:var(--waiting);font-weight:600}
.steps{padding:4px 0;overflow:hidden}
.steps>details{border-top:1px solid var(--line)}.steps>details:first-of-type{border-top:0}
.steps h3{margin:0;padding:12px 22px 6px;color:var(--muted);font-weight:600}
.steps h3:not(:first-child){border-top:1px solid var(--line)}
.steps>details>summary{display:grid;grid-template-columns:16px minmax(150px,260px) 88px 84px 1fr;gap:14px;align-items:baseline;padding:9px 22px;cursor:pointer;list-style:none}
.steps>details>summary::-webkit-details-marker{display:none}
.steps>details>summary:hover{background:var(--soft)}
.steps>details>summary .icon{align-self:start;margin-top:4px}.steps .id{font-weight:600;overflow-wrap:anywhere}
.steps .time{text-align:right;white-space:nowrap;color:var(--muted);font-variant-numeric:tabular-nums}
.steps .note{padding-left:10px;color:var(--muted);white-space:nowrap;overflow:hidden;text-overflow:ellipsis;min-width:0}
.steps>details[open]>summary{background:var(--soft)}.steps>details:target>summary{box-shadow:inset 4px 0 var(--link)}
.body{padding:6px 22px 20px 50px}
details.more{margin:10px 0}details.more>summary{cursor:pointer;color:var(--link);font-size:14px}
.report{margin:16px 0}.report>h4{font-size:14px;margin:0 0 4px}
.counts{display:flex;gap:6px;flex-wrap:wrap;margin:4px 0}
.failure{border-left:3px solid var(--failed);padding-left:12px;margin:12px 0}.failure b{overflow-wrap:anywhere}
.tools{display:none;gap:10px;align-items:center;margin-left:auto;font-size:14px}.js .tools{display:flex}
.head{display:flex;align-items:baseline;gap:16px}
button{font:inherit;font-size:13px;color:var(--ink);background:var(--card);border:1px solid var(--line);border-radius:7px;padding:3px 10px;cursor:pointer}
button:hover{background:var(--soft)}
input{font:inherit;font-size:13px;color:var(--ink);background:var(--card);border:1px solid var(--line);border-radius:7px;padding:3px 10px;width:190px}
:focus-visible{outline:2px solid var(--link);outline-offset:2px}
footer{padding-top:24px;padding-bottom:48px;color:var(--muted);font-size:13px}
@media (max-width:760px){main,header>div,footer{padding-left:16px;padding-right:16px}header .subject,dl.facts{margin-left:0}
.steps>details>summary{grid-template-columns:16px 1fr auto;padding:9px 16px}.steps .word,.steps .note{padding-left:10px;display:none}.body{padding-left:16px;padding-right:16px}
.now li{grid-template-columns:1fr}.card{padding:14px 16px}.steps.card{padding:4px 0}}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
@media print{:root{color-scheme:light;--bg:#fff;--card:#fff;--ink:#000;--muted:#444;--line:#bbb;--soft:#f2f2f2;--link:#000;--code:#f6f6f6;
--success:#1a7f37;--failed:#b3121d;--errored:#6a2fc1;--waiting:#7d5100;--running:#0757b5;--skipped:#555;--cancelled:#444;--pending:#555;
--success-bg:#e6f5ea;--failed-bg:#fdecec;--errored-bg:#f3ebfd;--waiting-bg:#fdf3dc;--running-bg:#e7f1fd;--idle-bg:#f5f5f5}
body{font-size:11pt;print-color-adjust:exact;-webkit-print-color-adjust:exact}.js .tools{display:none}.card{break-inside:avoid-page}.steps.card{break-inside:auto}
.steps>details>summary{break-after:avoid}pre{max-height:none}main,header>div,footer{max-width:none;padding-left:0;padding-right:0}
details::details-content{content-visibility:visible;display:block}svg.graph.wide,svg.timeline{min-width:0}}
`
