/** Elements without markup: nothing here parses HTML but `setHtml`, which gets the API's `*_html`. */

const SVG = 'http://www.w3.org/2000/svg';

const ICONS = {
  chat: 'M4 20l1-4a8 7 0 1 1 4 3z',
  down: 'M6 9l6 6 6-6',
  close: 'M6 6l12 12M18 6L6 18',
  send: 'M12 20V5M6 11l6-6 6 6',
  stop: 'M7 7h10v10H7z',
  copy: 'M9 9h11v11H9zM15 9V4H4v11h5',
  done: 'M5 12l5 5 9-9',
  assistant: 'M11 4l2 6 6 2-6 2-2 6-2-6-6-2 6-2zM19 3v4M17 5h4',
  staff: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 20a8 5 0 0 1 16 0',
  end: 'M10 5H5v14h5M14 8l4 4-4 4M9 12h9',
};

/** An element: `on…` are listeners, names with a dash or `role` are attributes, the rest properties. */
export function h(tag, { class: names, ...props } = {}, ...children) {
  const element = document.createElement(tag);
  if (names) element.className = names;
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name.includes('-') || name === 'role') element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.flat().filter(Boolean));
  return element;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', ICONS[name]);
  return svg.append(path), svg;
}

export const button = (label, glyph, onclick, names = '') => h(
  'button', { class: `icon ${names}`, type: 'button', 'aria-label': label, title: label, onclick }, icon(glyph),
);

/** Sets what changed only: screen readers and selections notice needless changes. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const policy = !Element.prototype.setHTML
  && window.trustedTypes?.createPolicy('chatsite', { createHTML: (html) => html });

/** Shows HTML that the API made safe; browsers with a sanitizer look once more. */
export function setHtml(element, html) {
  if (element.setHTML) element.setHTML(html);
  else element.innerHTML = policy ? policy.createHTML(html) : html;
  for (const link of element.querySelectorAll('a')) {
    link.target = '_blank';
    link.rel = 'noopener noreferrer nofollow ugc';
  }
}
