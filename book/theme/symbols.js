// A symbol under the pointer or the focus says what it means, with shape and unit, and is marked wherever it is: in the formula and in the code.
(() => {
  'use strict';
  const note = document.createElement('div');
  note.className = 'symbol-note';
  note.id = 'symbol-note';
  note.setAttribute('role', 'tooltip');
  note.hidden = true;
  document.body.append(note);
  const highlights = window.CSS && CSS.highlights;
  let shown = null;

  const row = symbol => symbol.closest('.formula')?.querySelector(`.symbols tr[data-symbol="${symbol.dataset.symbol}"]`);

  // The listings that speak of a formula: its own code, and those up to the next formula or heading.
  const listings = formula => {
    const found = [...formula.querySelectorAll('details.code pre:not([hidden]) > code')];
    for (let next = formula.nextElementSibling; next && !/^H[1-3]$/.test(next.tagName) && !next.classList.contains('formula'); next = next.nextElementSibling) {
      found.push(...[next, ...next.querySelectorAll('pre')].filter(e => e.tagName === 'PRE').flatMap(pre => [...pre.querySelectorAll('code:not(.editable)')]));
    }
    return found;
  };
  const places = (formula, name) => {
    const word = new RegExp(`(?<![\\p{L}\\p{N}_])${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\p{L}\\p{N}_])`, 'gu');
    const ranges = [];
    for (const listing of listings(formula)) {
      const walker = document.createTreeWalker(listing, NodeFilter.SHOW_TEXT);
      for (let text = walker.nextNode(); text; text = walker.nextNode()) {
        for (const { index } of text.data.matchAll(word)) {
          const range = new Range();
          range.setStart(text, index);
          range.setEnd(text, index + name.length);
          ranges.push(range);
        }
      }
    }
    return ranges;
  };

  const hide = () => {
    if (!shown) return;
    shown.closest('.formula')?.querySelectorAll('.symbol.same').forEach(s => s.classList.remove('same'));
    shown.removeAttribute('aria-describedby');
    highlights?.delete('symbol');
    note.hidden = true;
    shown = null;
  };
  const show = symbol => {
    const cells = row(symbol)?.cells;
    if (shown === symbol || !cells) return;
    hide();
    shown = symbol;
    const [, meaning, code, shape, unit] = [...cells].map(cell => cell.textContent.trim());
    note.replaceChildren();
    const line = (className, text) => {
      const made = document.createElement('div');
      made.className = className;
      made.textContent = text;
      note.append(made);
      return made;
    };
    line('note-meaning', meaning);
    const more = [shape && `shape: ${shape}`, unit && `unit: ${unit}`].filter(Boolean).join(' · ');
    if (more) line('note-more', more);
    if (code) {
      const made = line('note-more', 'in code: ');
      const name = document.createElement('code');
      name.textContent = code;
      made.append(name);
    }
    note.hidden = false;
    symbol.setAttribute('aria-describedby', 'symbol-note');
    const formula = symbol.closest('.formula');
    formula.querySelectorAll(`.symbol[data-symbol="${symbol.dataset.symbol}"]`).forEach(s => s.classList.add('same'));
    // Above the symbol if there is room, so that the formula stays in sight; never beyond the window's edge.
    const at = symbol.getBoundingClientRect();
    const left = Math.max(8, Math.min(at.left, document.documentElement.clientWidth - note.offsetWidth - 8));
    note.style.left = `${left + window.scrollX}px`;
    const above = at.top - note.offsetHeight - 8;
    note.style.top = `${(above > 60 ? above : at.bottom + 8) + window.scrollY}px`;
    const name = code.split(/[^\p{L}\p{N}_]/u).filter(Boolean).pop();
    if (highlights && name) {
      const ranges = places(formula, name);
      if (ranges.length) highlights.set('symbol', new Highlight(...ranges));
    }
  };

  document.querySelectorAll('.formula').forEach(formula => {
    const symbols = [...formula.querySelectorAll('math .symbol[data-symbol]')].filter(row);
    // One stop for the tab key; the arrows go from symbol to symbol.
    symbols.forEach((symbol, at) => {
      symbol.tabIndex = at ? -1 : 0;
      symbol.addEventListener('pointerenter', () => show(symbol));
      symbol.addEventListener('pointerleave', () => { if (document.activeElement !== symbol) hide(); });
      symbol.addEventListener('focus', () => show(symbol));
      symbol.addEventListener('blur', hide);
      symbol.addEventListener('click', () => symbol.focus({ preventScroll: true }));
      symbol.addEventListener('keydown', event => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (event.key === 'Escape') hide();
        if (!step) return;
        event.preventDefault();
        event.stopPropagation(); // the arrows turn mdBook's pages
        const next = symbols[(at + step + symbols.length) % symbols.length];
        symbol.tabIndex = -1;
        next.tabIndex = 0;
        next.focus({ preventScroll: true });
      });
    });
  });
})();
