// A formula's code: edited and checked with the book's server; in a copy without one, a choice among the slips that were compiled in.
(() => {
  'use strict';
  const { gradus } = window;
  const root = document.documentElement;
  const CASES = 256;
  const PATIENCE = 4000; // ms that a property may take before the next one has its turn
  const HANGS = 15000; // ms after which a module that does not answer is given up

  const enliven = async block => {
    const listing = block.querySelector('pre > code');
    const [said, verdict] = [block.querySelector('.break-said'), block.querySelector('.verdict')];
    const [edit, check, mend] = ['edit', 'check', 'mend'].map(name => block.querySelector(`button.${name}`));
    const select = block.querySelector('select.slip');
    const slips = JSON.parse(block.dataset.slips);
    const original = listing.textContent;
    const badges = [...block.closest('.formula').querySelectorAll('.badge[data-property]')];
    let editor = null;

    await gradus.session;
    const compiles = root.dataset.served && window.ace && root.dataset.run !== 'off';
    if (!compiles && !root.dataset.alive && !slips.length) return;
    block.querySelector('.break').hidden = false;
    edit.hidden = !compiles;
    check.hidden = true;
    said.textContent = compiles ? 'Change the code, and see which properties notice. Nothing in your checkout is changed.'
      : slips.length ? 'This copy can compile nothing: choose one of the slips that are compiled in. To edit the code, open the book with cargo book.'
        : 'This copy can compile nothing. To edit the code, open the book with cargo book.';

    const show = code => {
      if (editor) { editor.setValue(code, -1); return; }
      listing.textContent = code;
      if (window.hljs) { listing.removeAttribute('data-highlighted'); window.hljs.highlightBlock(listing); }
    };
    const chosen = () => slips.find(slip => String(slip.number) === select?.value);
    const story = () => block.querySelectorAll('.story').forEach(one => { one.hidden = one.dataset.slip !== select?.value; });
    const open = () => {
      if (editor) return;
      const place = document.createElement('div');
      place.className = 'break-editor';
      place.textContent = listing.textContent;
      listing.parentElement.hidden = true;
      listing.parentElement.after(place);
      editor = window.ace.edit(place, { mode: 'ace/mode/rust', showPrintMargin: false, showFoldWidgets: false, maxLines: 40, minLines: 3, fontSize: '0.875em', tabSize: 4 });
      const dark = ['coal', 'navy', 'ayu'].some(name => root.classList.contains(name));
      editor.setTheme(dark ? 'ace/theme/tomorrow_night' : 'ace/theme/dawn');
      editor.commands.addCommand({ name: 'check', bindKey: { win: 'Ctrl-Enter', mac: 'Ctrl-Enter' }, exec: () => check.click() });
      editor.commands.addCommand({ name: 'leave', bindKey: 'Esc', exec: e => { e.blur(); check.focus(); } });
      editor.textInput.getElement().setAttribute('aria-label', 'The formula’s code, editable; Control-Enter checks it, Escape leaves the editor');
      edit.hidden = true;
      check.hidden = false;
      mend.hidden = false;
    };

    edit.addEventListener('click', () => { open(); editor.focus(); });
    mend.addEventListener('click', () => {
      if (select) select.value = '0';
      show(original);
      verdict.hidden = true;
      story();
    });
    select?.addEventListener('change', () => {
      if (compiles) open();
      const slip = chosen();
      check.hidden = !editor && !slip;
      mend.hidden = check.hidden;
      show(slip ? original.replace(slip.right, () => slip.slip) : original);
      verdict.hidden = true;
      block.querySelectorAll('.story').forEach(one => { one.hidden = true; });
    });

    // What a module says of one property under a slip; that it stops or hangs is a way to notice.
    const asked = async (property, slip) => {
      const until = Date.now() + PATIENCE;
      const hangs = new Promise((_, reject) => { setTimeout(() => reject(new Error('it goes on for ever')), HANGS); });
      try {
        let answer = await Promise.race([gradus.ask(property, { explore: property, cases: CASES, slip }), hangs]);
        while (!answer.done && Date.now() < until) answer = await Promise.race([gradus.ask(property, { more: answer.run }), hangs]);
        return { holds: answer.outcome === 'pass', text: answer.verdict };
      } catch (error) {
        gradus.restart?.(property);
        return { holds: false, text: error.message };
      }
    };
    const compare = async slip => {
      const properties = badges.filter(badge => !badge.classList.contains('refuted')).map(badge => badge.dataset.property);
      let [lines, holding] = ['', 0];
      for (const [at, property] of properties.entries()) {
        verdict.textContent = `${lines}… ${at} of ${properties.length} properties`;
        const { holds, text } = await asked(property, slip.number);
        holding += holds;
        lines += `${holds ? '✓' : '✗'} ${property} — ${text}\n`;
      }
      const missed = properties.length - holding;
      return { text: `${lines}${missed ? `${missed} of ${properties.length} properties notice it.` : 'No property notices it.'}`, held: !missed };
    };
    const compile = async () => {
      const answer = await gradus.run('/__gradus/change.json', JSON.stringify({ formula: block.dataset.formula, code: editor.getValue() }));
      return { text: answer.result.trimEnd() || 'The program ended without a verdict.', held: !answer.error };
    };
    check.addEventListener('click', async () => {
      if (check.getAttribute('aria-busy') === 'true') return;
      check.setAttribute('aria-busy', 'true');
      verdict.hidden = false;
      verdict.classList.remove('held');
      verdict.textContent = editor ? 'Compiling the crate with your change: the first time that may take half a minute …' : '…';
      const { text, held } = editor ? await compile() : await compare(chosen());
      verdict.textContent = text;
      verdict.classList.toggle('held', held);
      check.removeAttribute('aria-busy');
      story();
    });
  };

  document.querySelectorAll('details.code').forEach(block => {
    block.addEventListener('toggle', () => enliven(block), { once: true });
  });
})();
