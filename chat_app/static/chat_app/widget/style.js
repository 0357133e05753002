/** How the widget looks. A constructed sheet: a strict CSP forbids none of it. */
export const sheet = new CSSStyleSheet();

// Few sizes, few shades, all mixed from ink, paper and accent: themes need to set no more.
sheet.replaceSync(`
:host {
  --accent: var(--chatsite-accent, light-dark(#0b5f59, #6cd0c4));
  --on: var(--chatsite-on-accent, lab(from var(--accent) calc((49 - l) * 99) 0 0));
  --paper: var(--chatsite-surface, light-dark(#fff, #15181c));
  --ink: var(--chatsite-ink, light-dark(#1a1e22, #eceeef));
  --soft: color-mix(in lab, var(--ink) 6%, var(--paper));
  --line: color-mix(in lab, var(--ink) 14%, var(--paper));
  --muted: color-mix(in lab, var(--ink) 72%, var(--paper));
  --link: light-dark(color-mix(in lab, var(--accent), #000 15%), color-mix(in lab, var(--accent), #fff 45%));
  --warm: light-dark(#fbeed6, #3b301c);
  --brown: light-dark(#6b4200, #f4d197);
  --bad: light-dark(#b3261e, #ffb4ab);
  --x: var(--chatsite-x, 20px);
  --y: var(--chatsite-y, 20px);
  color-scheme: light dark;
}
:host([theme="light"]) { color-scheme: light; }
:host([theme="dark"]) { color-scheme: dark; }
* { box-sizing: border-box; margin: 0; padding: 0; border: 0; font: inherit; color: inherit; background: none; }
[hidden], .open .closed, .root:not(.open) .opened { display: none !important; }
.root { font: 15px/1.5 var(--chatsite-font, system-ui, sans-serif); color: var(--ink); text-align: start; }
button { cursor: pointer; }
svg { display: block; width: 20px; height: 20px; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }
a, .link { color: var(--link); text-decoration: underline; }
:focus-visible:not(textarea) { outline: 2px solid var(--link); outline-offset: 2px; }
:disabled { cursor: default; opacity: .5; }
h2, h3, b, strong, th, .main, .foot button, .question button, .link, .tag, .badge { font-weight: 600; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.head, .who, .foot, .question { display: flex; align-items: center; gap: 8px; }
.state, .fine, .hint, .foot, .who, .system, .day, .question, .banner, .agree label { font-size: 13px; line-height: 1.4; }
.state, .fine, .hint, .foot, .who, .system, .day, .intro, blockquote, ::placeholder { color: var(--muted); opacity: 1; }
.face, .icon, .launcher { flex: none; display: grid; place-items: center; width: 40px; height: 40px; border-radius: 50%; }

.launcher, .panel { position: fixed; z-index: 2147483000; right: var(--x); bottom: var(--y); }
:host([position="left"]) .launcher, :host([position="left"]) .panel { right: auto; left: var(--x); }
.launcher { width: 58px; height: 58px; background: var(--accent); color: var(--on); box-shadow: 0 8px 24px #0004; }
.badge { position: absolute; top: -3px; inset-inline-end: -3px; min-width: 22px; padding: 0 6px; border-radius: 12px; background: #c62828; color: #fff; font-size: 13px; line-height: 22px; }
.panel {
  bottom: calc(var(--y) + 72px); width: min(396px, 100vw - 40px); height: min(660px, 100dvh - 112px); display: flex; flex-direction: column; overflow: hidden;
  background: var(--paper); border: 1px solid var(--line); border-radius: 20px; box-shadow: 0 20px 60px #0004; animation: rise .2s ease-out;
}
@keyframes rise { from { opacity: 0; transform: translateY(12px); } }

.head { padding-block: 14px; padding-inline: 16px 8px; border-bottom: 1px solid var(--line); }
.head div { flex: 1; padding-inline-start: 4px; }
h2 { font-size: 16px; line-height: 1.3; }
.state.open::before { content: ""; display: inline-block; width: 7px; height: 7px; margin-inline-end: 6px; border-radius: 50%; background: var(--link); }
.face { background: color-mix(in lab, var(--accent) 14%, var(--paper)); color: var(--link); }
.face[data-who="staff"], .staff .face, .staff .body, .banner, .question, .notice { background: var(--warm); color: var(--brown); }
.icon { border-radius: 12px; color: var(--muted); }
.icon:hover, .suggestions button:hover { background: var(--soft); color: var(--ink); }
.banner, .question { padding: 8px 16px; }
.question span { flex: 1; }
.foot button, .question button { text-decoration: underline; }

.door { flex: 1; overflow: auto; padding: 24px; }
.door h3 { margin-bottom: 8px; font-size: 26px; line-height: 1.2; letter-spacing: -.02em; text-wrap: balance; }
.intro, .notice { margin-bottom: 24px; }
.notice { padding: 8px 16px; border-radius: 12px; }
input, .box { border: 1px solid color-mix(in lab, var(--ink) 50%, var(--paper)); border-radius: 12px; }
input { width: 100%; margin: 4px 0 16px; padding: 10px 14px; font-size: 16px; }
[aria-invalid="true"] { outline: 2px solid var(--bad); }
.agree { display: flex; gap: 12px; }
[type="checkbox"] { flex: none; width: 20px; height: 20px; accent-color: var(--accent); margin: 0; }
.main { width: 100%; margin: 16px 0; padding: 12px; border-radius: 12px; background: var(--accent); color: var(--on); }
.error, .bad { color: var(--bad); }
.error:not(:empty) { margin-top: 12px; }

.talk { position: relative; flex: 1; min-height: 0; }
.log { height: 100%; overflow: auto; overflow-anchor: none; overscroll-behavior: contain; padding: 16px; outline-offset: -4px; }
.list, .said { display: flex; flex-direction: column; gap: 4px; }
.said { position: relative; align-items: flex-start; }
.first { margin-top: 14px; }
.visitor { align-items: flex-end; }
.who b { color: var(--ink); }
.who .face { width: 24px; height: 24px; }
.who svg, .copy svg { width: 15px; height: 15px; }
.tag { padding: 0 5px; border: 1px solid var(--line); border-radius: 5px; font-size: 11px; }
.body { max-width: calc(100% - 34px); padding: 8px 14px; border-radius: 4px 18px 18px; overflow-wrap: anywhere; white-space: pre-wrap; background: var(--soft); }
[dir="rtl"] .body, .visitor .body { border-radius: 18px 4px 18px 18px; }
.visitor .body { background: var(--accent); color: var(--on); }
.sending .body { opacity: .6; }
.failed.visitor .body { background: none; color: inherit; border: 1px dashed var(--bad); }
.rich { white-space: normal; }
.rich > * + * { margin-top: 8px; }
em { font-style: italic; }
ul, ol { padding-inline-start: 20px; }
h1, .rich :is(h2, h3, h4) { font-size: 1em; font-weight: 600; }
code { font: 13px/1.5 ui-monospace, Menlo, Consolas, monospace; padding: 1px 4px; border-radius: 4px; background: color-mix(in lab, currentColor 9%, transparent); }
pre { overflow: auto; padding: 8px 12px; border-radius: 12px; background: color-mix(in lab, currentColor 7%, transparent); }
pre code { padding: 0; background: none; }
blockquote { padding-inline-start: 12px; border-inline-start: 3px solid var(--line); }
table { display: block; overflow: auto; }
th, td { padding: 4px 8px; border-bottom: 1px solid var(--line); }
.running .body:not(:has(i))::after { content: ""; display: inline-block; width: 7px; height: 14px; background: var(--link); animation: pulse 1s infinite; }
.dots i { display: inline-block; width: 7px; height: 7px; margin: 0 2px; border-radius: 50%; background: var(--muted); animation: pulse 1s infinite; }
.dots i + i { animation-delay: .2s; }
@keyframes pulse { 50% { opacity: .2; } }
.copy { position: absolute; inset-inline-end: 0; bottom: 4px; width: 28px; height: 28px; }
@media (hover: hover) { .said:not(:hover, :last-child) .copy:not(:focus-visible) { opacity: 0; } }
.system, .day { align-items: center; margin-top: 14px; text-align: center; }
.latest { position: absolute; bottom: 8px; left: 50%; transform: translateX(-50%); display: flex; align-items: center; padding: 4px 16px 4px 10px; border-radius: 18px; background: var(--ink); color: var(--paper); font-size: 13px; }

.composer { padding: 4px 16px 12px; }
.suggestions { display: flex; flex-wrap: wrap; gap: 8px; margin-bottom: 12px; }
.suggestions button { padding: 6px 14px; border: 1px solid var(--line); border-radius: 18px; color: var(--link); text-align: start; }
.box { display: flex; align-items: flex-end; }
.box:focus-within { outline: 2px solid var(--link); }
textarea { flex: 1; max-height: 132px; padding-block: 11px; padding-inline: 14px 4px; resize: none; outline: 0; font-size: 16px; line-height: 1.4; }
.act { width: 36px; height: 36px; margin: 4px; }
.act, .act:hover { background: var(--accent); color: var(--on); }
.act:disabled { background: var(--line); color: var(--muted); opacity: 1; }
.hint { margin-top: 8px; text-align: center; }

@media (max-width: 480px) {
  .panel { inset: var(--top, 0) 0 auto !important; width: 100%; height: var(--height, 100dvh); border: 0; border-radius: 0; animation: none; }
  .open .launcher { display: none; }
  .composer { padding-bottom: max(12px, env(safe-area-inset-bottom)); }
}
@media (prefers-reduced-motion) { * { animation: none !important; } }
@media (forced-colors: active) { .panel, .body, button { border: 1px solid; } }
`);
