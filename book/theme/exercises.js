// Exercises: the button that checks, and which ones are solved. What is solved stays in this browser, and can be saved to a file.
(() => {
  'use strict';
  const PREFIX = 'gradus-exercise:';
  const SOLVED = /^\d{4}-\d{2}-\d{2}$/; // the day
  const store = {
    get: id => { try { return localStorage.getItem(PREFIX + id); } catch (e) { return null; } },
    set: (id, day) => { try { localStorage.setItem(PREFIX + id, day); } catch (e) { /* private window: it ends with the page */ } },
    // All that this browser knows, of exercises that are in the book no more, too.
    all: () => {
      const solved = {};
      try {
        for (let i = 0; i < localStorage.length; i++) {
          const key = localStorage.key(i);
          if (key.startsWith(PREFIX)) solved[key.slice(PREFIX.length)] = localStorage.getItem(key);
        }
      } catch (e) { /* as above */ }
      return solved;
    },
    forget: () => { try { Object.keys(store.all()).forEach(id => localStorage.removeItem(PREFIX + id)); } catch (e) { /* as above */ } },
  };

  const mark = () => document.querySelectorAll('[data-exercise]').forEach(place => {
    const day = store.get(place.dataset.exercise);
    place.classList.toggle('done', !!day);
    place.querySelector('.exercise-state').textContent = day ? `✓ solved ${day}` : '';
  });

  document.querySelectorAll('.exercise').forEach(exercise => {
    const id = exercise.dataset.exercise;
    const button = exercise.querySelector('.check');
    const verdict = exercise.querySelector('.verdict');
    const code = exercise.querySelector('pre.playground code');
    const editor = (window.editors || []).find(e => exercise.contains(e.container));
    const check = async () => {
      if (button.getAttribute('aria-busy') === 'true') return;
      button.setAttribute('aria-busy', 'true');
      verdict.hidden = false;
      verdict.classList.remove('held');
      verdict.textContent = 'Checking …';
      const attempt = editor ? editor.getValue() : code.textContent;
      const answer = await window.gradus.run('/__gradus/exercise.json', JSON.stringify({ exercise: id, code: attempt }));
      button.removeAttribute('aria-busy');
      verdict.textContent = answer.result.trimEnd() || 'The program ended without a verdict.';
      if (!answer.error) {
        verdict.classList.add('held');
        store.set(id, new Date().toISOString().slice(0, 10));
        mark();
      }
    };
    button.addEventListener('click', check);
    // In the editor Control-Enter runs a block: here it checks.
    editor?.commands.addCommand({ name: 'check', bindKey: { win: 'Ctrl-Enter', mac: 'Ctrl-Enter' }, exec: check });
  });

  const progress = document.querySelector('.progress');
  if (progress) {
    const said = progress.querySelector('.progress-said');
    const rows = [...document.querySelectorAll('.exercises tr[data-exercise]')];
    const tell = more => {
      const solved = rows.filter(row => store.get(row.dataset.exercise)).length;
      said.textContent = `${more}${solved} of ${rows.length} exercises are solved. This is kept in this browser, and sent nowhere.`;
    };
    progress.querySelector('.export').addEventListener('click', () => {
      const text = JSON.stringify({ book: 'gradus', solved: store.all() }, null, 1);
      const link = document.createElement('a');
      link.href = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
      link.download = 'gradus-progress.json';
      link.click();
      URL.revokeObjectURL(link.href);
    });
    progress.querySelector('.import input').addEventListener('change', async event => {
      const [file] = event.target.files;
      if (!file) return;
      try {
        const { book, solved } = JSON.parse(await file.text());
        const entries = Object.entries(solved || {});
        if (book !== 'gradus' || !entries.every(([id, day]) => /^[a-z0-9-]+$/.test(id) && SOLVED.test(day))) throw new Error('it is not what this page saves');
        // What was solved before stays solved, since the earlier day.
        for (const [id, day] of entries) if (!(store.get(id) <= day) || !store.get(id)) store.set(id, day);
        mark();
        tell('Loaded. ');
      } catch (error) {
        said.textContent = `${file.name} could not be loaded: ${error.message}`;
      }
      event.target.value = '';
    });
    progress.querySelector('.forget').addEventListener('click', () => {
      if (!confirm('Forget which exercises are solved?')) return;
      store.forget();
      mark();
      tell('Forgotten. ');
    });
    tell('');
  }
  mark();
})();
