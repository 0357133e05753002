/** How the widget looks. A constructed sheet: a strict CSP forbids none of it. */
export const sheet = new CSSStyleSheet();

sheet.replaceSync(`
:host {
  --accent: var(--chatsite-accent, light-dark(#0b5f59, #6cd0c4));
  --on: var(--chatsite-on-accent, light-dark(#fff, #06201d));
  --paper: var(--chatsite-surface, light-dark(#fff, #15181c));
  --ink: var(--chatsite-ink, light-dark(#1a1e22, #eceeef));
  --soft: color-mix(in srgb, var(--ink) 5%, var(--paper));
  --line: color-mix(in srgb, var(--ink) 13%, var(--paper));
  --muted: color-mix(in srgb, var(--ink) 70%, var(--paper));
  --link: light-dark(color-mix(in srgb, var(--accent), #000 12%), color-mix(in srgb, var(--accent), #fff 45%));
  --warm: light-dark(#fbeed6, #3b301c);
  --warm-ink: light-dark(#714600, #f4d197);
  --bad: light-dark(#b3261e, #ffb4ab);
  --x: var(--chatsite-x, 20px);
  --y: var(--chatsite-y, 20px);
  color-scheme: light dark;
}
:host([theme="light"]) { color-scheme: light; }
:host([theme="dark"]) { color-scheme: dark; }
* { box-sizing: border-box; margin: 0; padding: 0; }
[hidden] { display: none !important; }
.root {
  position: fixed; z-index: 2147483000;
  font: 400 15px/1.5 var(--chatsite-font, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif);
  color: var(--ink); text-align: start; -webkit-text-size-adjust: 100%;
}
button, input, textarea { font: inherit; color: inherit; background: none; border: 0; }
button { cursor: pointer; }
svg { width: 20px; height: 20px; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; display: block; }
a { color: var(--link); text-underline-offset: 2px; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

.launcher, .panel { position: fixed; right: var(--x); bottom: var(--y); }
:host([position="left"]) :is(.launcher, .panel) { right: auto; left: var(--x); }
.launcher {
  width: 58px; height: 58px; border-radius: 50%; display: grid; place-items: center; background: var(--accent); color: var(--on);
  box-shadow: 0 1px 2px #0003, 0 8px 24px #0003; transition: transform .2s;
}
.launcher:hover { transform: translateY(-2px); }
.launcher svg { width: 26px; height: 26px; }
.open .closed, .root:not(.open) .opened { display: none; }
.badge {
  position: absolute; top: -3px; inset-inline-end: -3px; min-width: 22px; padding: 0 6px; border: 2px solid var(--paper);
  border-radius: 12px; background: #c62828; color: #fff; font-size: 12px; font-weight: 650; line-height: 18px;
}
.panel {
  bottom: calc(var(--y) + 72px); width: min(396px, calc(100vw - 2 * var(--x))); height: min(660px, calc(100dvh - var(--y) - 92px));
  display: flex; flex-direction: column; overflow: hidden; background: var(--paper); border: 1px solid var(--line); border-radius: 20px;
  box-shadow: 0 2px 6px #0000000f, 0 20px 60px #00000038; animation: rise .24s cubic-bezier(.2, .8, .2, 1);
}
@keyframes rise { from { opacity: 0; transform: translateY(12px) scale(.985); } }

.head { display: flex; align-items: center; gap: 12px; padding: 14px 10px 14px 16px; border-bottom: 1px solid var(--line); }
[dir="rtl"] .head { padding: 14px 16px 14px 10px; }
.head div { flex: 1; min-width: 0; }
h2 { font-size: 16px; font-weight: 650; line-height: 1.3; letter-spacing: -.01em; }
.state { font-size: 13px; line-height: 1.35; color: var(--muted); }
.state.open::before { content: ""; display: inline-block; width: 7px; height: 7px; margin-inline-end: 6px; border-radius: 50%; background: light-dark(#2e8b57, #5fcf92); vertical-align: 1px; }
.face { flex: none; display: grid; place-items: center; width: 38px; height: 38px; border-radius: 50%; background: color-mix(in srgb, var(--accent) 14%, var(--paper)); color: var(--link); }
.face[data-who="staff"], .staff .face { background: var(--warm); color: var(--warm-ink); }
.icon { flex: none; display: grid; place-items: center; width: 40px; height: 40px; border-radius: 12px; color: var(--muted); }
.icon:hover { background: var(--soft); color: var(--ink); }
[dir="rtl"] .head .icon svg { transform: scaleX(-1); }
.banner, .question { padding: 8px 16px; font-size: 13px; background: var(--warm); color: var(--warm-ink); }
.question { display: flex; align-items: center; gap: 4px; }
.question span { flex: 1; }
.question button { color: inherit; }
.question button:not(.icon), .foot button:not(.icon), .link { font-weight: 600; text-decoration: underline; text-underline-offset: 2px; padding: 4px; }

.door { flex: 1; overflow: auto; padding: 28px 24px 20px; }
.door > div { margin-bottom: 14px; }
.door .face { width: 52px; height: 52px; margin-bottom: 18px; }
.door .face svg { width: 28px; height: 28px; }
h3 { font-size: 24px; font-weight: 650; line-height: 1.2; letter-spacing: -.02em; text-wrap: balance; }
h3 + p { margin: 8px 0 24px; color: var(--muted); text-wrap: pretty; }
.door label { font-size: 14px; font-weight: 550; }
.door input:not([type="checkbox"]), .box { width: 100%; border: 1px solid color-mix(in srgb, var(--ink) 45%, var(--paper)); border-radius: 12px; background: var(--paper); }
.door input:not([type="checkbox"]) { margin-top: 6px; padding: 11px 14px; font-size: 16px; }
.door input[aria-invalid="true"] { outline: 2px solid var(--bad); outline-offset: 1px; }
.agree { display: flex; gap: 10px; margin-top: 14px; }
.agree label { font-size: 13px; font-weight: 400; line-height: 1.45; }
.agree input { flex: none; width: 20px; height: 20px; accent-color: var(--accent); }
.main { width: 100%; padding: 12px; border-radius: 12px; background: var(--accent); color: var(--on); font-weight: 600; }
.main:hover { filter: brightness(1.07); }
:disabled { opacity: .45; cursor: default; }
.fine { margin-top: 16px; font-size: 12.5px; line-height: 1.45; color: var(--muted); }
.notice { margin-bottom: 16px; padding: 10px 14px; border-radius: 12px; font-size: 14px; background: var(--warm); color: var(--warm-ink); }
.error, .bad { color: var(--bad); }
.error:not(:empty) { margin-bottom: 12px; font-size: 14px; }

.talk { position: relative; flex: 1; min-height: 0; }
.log { height: 100%; overflow-y: auto; overflow-anchor: none; overscroll-behavior: contain; padding: 18px 16px 8px; scrollbar-width: thin; }
.log:focus-visible { outline-offset: -3px; }
.list { display: flex; flex-direction: column; min-height: 100%; }
.said { display: flex; flex-direction: column; align-items: flex-start; margin-top: 4px; }
.first { margin-top: 18px; }
.said:first-child { margin-top: 0; }
.visitor { align-items: flex-end; }
.who { display: flex; align-items: center; gap: 7px; margin-bottom: 5px; font-size: 12.5px; color: var(--muted); }
.who b { font-weight: 600; color: var(--ink); }
.who .face { width: 24px; height: 24px; }
.who svg { width: 14px; height: 14px; }
.visitor .who b { display: none; }
.tag { padding: 0 5px; border: 1px solid var(--line); border-radius: 5px; font-size: 10.5px; font-weight: 600; letter-spacing: .04em; }
.body { max-width: 88%; padding: 9px 14px; border-radius: 17px; overflow-wrap: anywhere; white-space: pre-wrap; background: var(--soft); }
.visitor .body { background: var(--accent); color: var(--on); border-end-end-radius: 5px; }
.assistant .body { border-start-start-radius: 5px; }
.staff .body { border-start-start-radius: 5px; background: var(--warm); }
.sending .body { opacity: .6; }
.visitor.failed .body { background: none; color: inherit; border: 1px dashed var(--bad); }
.body:has(> :is(p, ul, ol, pre, table, blockquote, h1, h2, h3, h4, h5, h6, hr)) { white-space: normal; }
.body > * + * { margin-top: 9px; }
.body :is(h1, h2, h3, h4, h5, h6) { font-size: 1em; font-weight: 650; letter-spacing: 0; }
.body :is(ul, ol) { padding-inline-start: 20px; }
.body li + li { margin-top: 3px; }
.body code { font: .88em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; padding: 1px 5px; border-radius: 5px; background: color-mix(in srgb, var(--ink) 8%, transparent); }
.body pre { padding: 10px 12px; border-radius: 10px; overflow-x: auto; background: color-mix(in srgb, var(--ink) 7%, transparent); }
.body pre code { padding: 0; background: none; }
.body blockquote { padding-inline-start: 12px; border-inline-start: 3px solid var(--line); color: var(--muted); }
.body table { display: block; overflow-x: auto; border-collapse: collapse; font-size: .93em; }
.body :is(th, td) { padding: 4px 10px 4px 0; border-bottom: 1px solid var(--line); text-align: start; }
.body hr { border: 0; border-top: 1px solid var(--line); }
.running .body:not(:has(.dots))::after { content: ""; display: inline-block; width: 7px; height: 15px; margin-inline-start: 3px; border-radius: 2px; background: var(--link); vertical-align: -2px; animation: pulse 1s infinite; }
.dots { display: flex; gap: 5px; padding: 8px 0; }
.dots i { width: 7px; height: 7px; border-radius: 50%; background: var(--muted); animation: pulse 1.2s infinite; }
.dots i:nth-child(2) { animation-delay: .15s; }
.dots i:nth-child(3) { animation-delay: .3s; }
@keyframes pulse { 50% { opacity: .25; } }
.foot { display: flex; align-items: center; gap: 4px; margin-top: 3px; padding: 0 4px; font-size: 12.5px; color: var(--muted); }
.foot.bad { color: var(--bad); }
.copy { width: 28px; height: 28px; border-radius: 8px; }
.copy svg { width: 15px; height: 15px; }
@media (hover: hover) { .copy { opacity: 0; } .said:hover .copy, .said:last-child .copy, .copy:focus-visible { opacity: 1; } }
.system, .day { align-self: center; max-width: 90%; margin: 16px 0 4px; font-size: 12.5px; text-align: center; color: var(--muted); text-wrap: balance; }
.latest { position: absolute; bottom: 8px; left: 50%; transform: translateX(-50%); display: flex; gap: 6px; padding: 6px 14px 6px 10px; border-radius: 20px; background: var(--ink); color: var(--paper); font-size: 13px; font-weight: 550; }

.composer { padding: 8px 14px 10px; }
.suggestions { display: flex; flex-wrap: wrap; gap: 8px; padding: 0 2px 12px; }
.suggestions button { padding: 7px 13px; border: 1px solid var(--line); border-radius: 18px; font-size: 14px; color: var(--link); text-align: start; }
.suggestions button:hover { background: var(--soft); }
.box { display: flex; align-items: flex-end; border-radius: 16px; }
.box:focus-within { outline: 2px solid var(--link); outline-offset: -1px; }
textarea { flex: 1; max-height: 132px; padding: 11px 4px 11px 14px; resize: none; outline: 0 !important; font-size: 16px; line-height: 1.4; }
[dir="rtl"] textarea { padding: 11px 14px 11px 4px; }
::placeholder { color: var(--muted); opacity: 1; }
.act { width: 36px; height: 36px; margin: 4px; border-radius: 12px; background: var(--accent); color: var(--on); }
.act:hover { background: var(--accent); color: var(--on); }
.act:disabled { background: var(--line); color: var(--muted); opacity: 1; }
.hint { min-height: 18px; margin-top: 7px; font-size: 12px; line-height: 1.4; text-align: center; color: var(--muted); }

@media (max-width: 480px) {
  .panel { inset: var(--top, 0) 0 auto !important; width: 100%; height: var(--height, 100dvh); border: 0; border-radius: 0; animation-name: none; }
  .open .launcher { display: none; }
  .composer { padding-bottom: max(10px, env(safe-area-inset-bottom)); }
  .head { padding-top: max(12px, env(safe-area-inset-top)); }
}
@media (prefers-reduced-motion: reduce) { * { animation: none !important; transition: none !important; } }
@media (forced-colors: active) { .panel, .body, .launcher, .main, .act { border: 1px solid; } }
@media print { .root { display: none; } }
`);
