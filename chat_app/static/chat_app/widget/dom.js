/** Elements without markup: nothing here parses HTML but `setHtml`, which gets the API's `*_html`. */

const SVG = 'http://www.w3.org/2000/svg';

const ICONS = {
  chat: 'M12 4c5 0 9 3.2 9 7.4s-4 7.4-9 7.4c-1 0-2-.1-2.9-.4L4.5 20.5l.9-3.7C3.9 15.4 3 13.5 3 11.4 3 7.2 7 4 12 4z',
  down: 'M6 9.5l6 6 6-6',
  close: 'M6 6l12 12M18 6L6 18',
  send: 'M12 19V5.5M6 11l6-6 6 6',
  stop: 'M7.5 7.5h9v9h-9z',
  copy: 'M9 9h10v11H9zM15 9V4.5H5V15h4',
  done: 'M5 12.5l4.5 4.5L19 7.5',
  assistant: 'M12 4l1.9 5.1L19 11l-5.1 1.9L12 18l-1.9-5.1L5 11l5.1-1.9zM19 16v4M17 18h4',
  staff: 'M12 12.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20.5c.6-4 3.5-5.5 7.5-5.5s6.9 1.5 7.5 5.5',
  end: 'M10 5H5v14h5M14 8l4 4-4 4M9.5 12H18',
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
