// The explorer: a badge opens a panel in which its property is run, with ranges, cases and a seed of the reader's choice.
(() => {
  'use strict';
  const { gradus } = window;

  const close = evidence => {
    const panel = evidence.querySelector('.explorer');
    panel.stopped = true;
    panel.hidden = true;
    panel.replaceChildren();
    evidence.querySelectorAll('.badge').forEach(badge => badge.setAttribute('aria-expanded', 'false'));
  };

  const open = async (evidence, badge) => {
    close(evidence);
    const panel = evidence.querySelector('.explorer');
    panel.hidden = false;
    panel.setAttribute('aria-busy', 'true');
    badge.setAttribute('aria-expanded', 'true');
    try {
      panel.innerHTML = (await gradus.ask(badge.dataset.property, { describe: badge.dataset.property })).html;
      enliven(panel, badge, evidence);
    } catch (error) {
      panel.textContent = error.message;
    }
    panel.removeAttribute('aria-busy');
  };

  const enliven = (panel, badge, evidence) => {
    const form = panel.querySelector('form');
    const said = panel.querySelector('.explore-said');
    const shown = panel.querySelector('.explore-result');
    const [run, stop] = [form.querySelector('[type=submit]'), form.querySelector('.stop')];
    const shut = document.createElement('button');
    shut.type = 'button';
    shut.className = 'shut';
    shut.textContent = 'Close';
    shut.addEventListener('click', () => { close(evidence); badge.focus(); });
    run.parentElement.append(shut);
    panel.onkeydown = event => { if (event.key === 'Escape') { close(evidence); badge.focus(); } };

    // Only what was changed is sent: the rest is as in the tests.
    const ranges = () => {
      const sent = {};
      for (const from of form.querySelectorAll('[data-end=from]')) {
        const to = form.querySelector(`[data-end=to][name="${CSS.escape(from.name)}"]`);
        if (from.value !== from.defaultValue || to.value !== to.defaultValue) sent[from.name] = [Number(from.value), Number(to.value)];
      }
      for (const one of form.querySelectorAll('select')) if (one.value) sent[one.name] = [Number(one.value), Number(one.value)];
      return sent;
    };
    let turn = 0; // a new run ends the one before
    form.addEventListener('submit', async event => {
      event.preventDefault();
      const mine = ++turn;
      panel.stopped = false;
      stop.disabled = false;
      said.classList.remove('refused');
      let question = {
        explore: badge.dataset.property,
        cases: Number(form.elements.cases.value),
        seed: Number(form.elements.seed.value),
        ranges: ranges(),
      };
      try {
        said.textContent = 'Running …';
        for (;;) {
          const answer = await gradus.ask(badge.dataset.property, question);
          if (mine !== turn) return;
          const path = shown.querySelector('.path')?.open;
          shown.innerHTML = answer.html;
          if (path === false) shown.querySelector('.path')?.removeAttribute('open');
          if (answer.done) { said.textContent = answer.verdict; break; }
          if (panel.stopped) { said.textContent = `Stopped after ${answer.drawn} of ${answer.planned} cases.`; break; }
          said.textContent = `${answer.drawn} of ${answer.planned} cases …`;
          question = { more: answer.run };
        }
      } catch (error) {
        said.textContent = error.message;
        said.classList.add('refused');
      }
      stop.disabled = true;
    });
    stop.addEventListener('click', () => { panel.stopped = true; });
    form.requestSubmit();
    run.focus({ preventScroll: true });
  };

  document.querySelectorAll('.evidence').forEach(evidence => {
    for (const badge of evidence.querySelectorAll('.badge')) {
      badge.setAttribute('role', 'button');
      badge.setAttribute('aria-expanded', 'false');
      const press = event => {
        event.preventDefault();
        if (!document.documentElement.dataset.alive) evidence.querySelector('details')?.setAttribute('open', '');
        else if (badge.getAttribute('aria-expanded') === 'true') close(evidence);
        else open(evidence, badge);
      };
      badge.addEventListener('click', press);
      badge.addEventListener('keydown', event => { if (event.key === ' ') press(event); });
    }
  });
})();
