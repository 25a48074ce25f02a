// What the book adds to mdBook's pages: edits that stay, a reset button, and what keyboards and screen readers need.
(() => {
  'use strict';
  const store = {
    get: key => { try { return localStorage.getItem(key); } catch (e) { return null; } },
    set: (key, value) => { try { localStorage.setItem(key, value); } catch (e) { /* private window: edits end with the page */ } },
    remove: key => { try { localStorage.removeItem(key); } catch (e) { /* as above */ } },
  };

  // An edit belongs to a block as it was written: when the book changes the block, the edit is not put over it.
  const fingerprint = text => {
    let h = 5381;
    for (let i = 0; i < text.length; i++) h = (h * 33 ^ text.charCodeAt(i)) >>> 0;
    return h.toString(36);
  };

  (window.editors || []).forEach(editor => {
    const original = editor.originalCode;
    const page = location.pathname.replace(/^.*\//, '');
    const key = `gradus-code:${page}:${fingerprint(original)}`;
    const pre = editor.container.closest('pre');
    const buttons = pre && pre.querySelector('.buttons');
    const theirs = buttons && buttons.querySelector('.reset-button');
    const reset = theirs || document.createElement('button');
    if (buttons && !theirs) {
      reset.type = 'button';
      reset.className = 'reset-button';
      reset.textContent = '↺';
      reset.addEventListener('click', () => { editor.setValue(original, -1); editor.focus(); });
      buttons.append(reset);
    }
    reset.title = 'Back to the book’s code';
    reset.setAttribute('aria-label', reset.title);
    const edited = () => { reset.hidden = editor.getValue() === original; };
    const kept = store.get(key);
    if (kept !== null && kept !== original) editor.setValue(kept, -1);
    editor.on('change', () => {
      edited();
      if (editor.getValue() === original) store.remove(key); else store.set(key, editor.getValue());
    });
    edited();
    // Tab indents in the editor; Escape gives the keyboard back to the page.
    editor.commands.addCommand({ name: 'leave', bindKey: 'Esc', exec: e => { e.blur(); reset.hidden ? pre.querySelector('button')?.focus() : reset.focus(); } });
    editor.textInput?.getElement?.().setAttribute('aria-label', 'Rust code, editable; Control-Enter runs it, Escape leaves the editor');
  });

  // The button tells what it can do.
  const SAYS = { preparing: 'Preparing: the crates are being compiled', ready: 'Run this code', failed: 'The crates do not compile', off: '' };
  const tell = () => {
    const state = document.documentElement.dataset.run || 'off';
    document.querySelectorAll('.play-button').forEach(button => {
      button.title = SAYS[state] || SAYS.ready;
      button.setAttribute('aria-label', button.title);
      button.setAttribute('aria-busy', String(state === 'preparing'));
    });
  };
  document.addEventListener('gradus-run', tell);
  tell();

  // What a run prints is read out.
  new MutationObserver(changes => {
    for (const change of changes) for (const node of change.addedNodes) {
      if (node.classList?.contains('result')) node.setAttribute('role', 'status');
    }
  }).observe(document.querySelector('main') || document.body, { childList: true, subtree: true });

  // A skip link, first of all that the keyboard reaches.
  const main = document.querySelector('main');
  if (main) {
    if (!main.id) main.id = 'content-start';
    main.tabIndex = -1;
    const skip = document.createElement('a');
    skip.className = 'skip-link';
    skip.href = '#' + main.id;
    skip.textContent = 'Skip to the text';
    skip.addEventListener('click', () => main.focus());
    document.body.prepend(skip);
  }

  // mdBook's switch for the table of contents is a label: the keyboard passes it by.
  const contents = document.getElementById('mdbook-sidebar-toggle');
  if (contents && contents.tagName === 'LABEL') {
    contents.tabIndex = 0;
    contents.setAttribute('role', 'button');
    contents.addEventListener('keydown', event => {
      if (event.key !== 'Enter' && event.key !== ' ') return;
      event.preventDefault();
      contents.click();
    });
  }

  // What scrolls sideways can be scrolled by keyboard too.
  const reachable = () => document.querySelectorAll('.display, .table-wrapper, .row-math').forEach(box => {
    if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0; else box.removeAttribute('tabindex');
  });
  addEventListener('resize', reachable);
  addEventListener('load', reachable);
  // On paper nothing can be opened.
  addEventListener('beforeprint', () => document.querySelectorAll('main details').forEach(d => { d.open = true; }));
})();
