// Whom a page asks for figures that are moved and properties that are explored: the book's server, or else the chapter's own module, which is the
// same Rust code compiled to WebAssembly. Nothing is computed in these scripts.
(() => {
  'use strict';
  const root = document.documentElement;
  const gradus = window.gradus = window.gradus || {};
  const GONE = 'The book’s server does not answer. Start it with cargo book, then reload this page.';

  const server = async question => {
    try {
      const response = await fetch('/__gradus/ask.json', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(question),
      });
      return { ok: response.ok, body: await response.text() };
    } catch (error) {
      return { ok: false, body: GONE };
    }
  };

  // A module works in a thread of its own: the page stays alive whatever it computes.
  const module = name => {
    const waiting = new Map();
    let worker = null;
    let last = 0;
    const start = () => {
      worker = new Worker(new URL(`${path_to_root}assets/worker.js`, location.href));
      worker.onmessage = ({ data }) => {
        waiting.get(data.id)?.({ ok: data.status === 200, body: data.body });
        waiting.delete(data.id);
      };
      worker.onerror = event => {
        event.preventDefault();
        for (const answer of waiting.values()) answer({ ok: false, body: `The chapter’s module stopped: ${event.message}` });
        waiting.clear();
        worker.terminate();
        worker = null;
      };
      worker.postMessage({ module: new URL(`${path_to_root}modules/${name}.wasm`, location.href).href });
    };
    const stop = () => {
      worker?.terminate();
      worker = null;
      waiting.clear();
    };
    const asked = question => new Promise(resolve => {
      if (!worker) start();
      waiting.set(++last, resolve);
      worker.postMessage({ id: last, question: JSON.stringify(question) });
    });
    return { asked, stop };
  };

  // In which module something is says a list of the chapter; each is loaded when it is first asked.
  const modules = chapter => {
    const started = new Map();
    let list = null;
    // Who asks about something that never ends gives its module up: the next question begins with a new one.
    gradus.restart = () => started.forEach(one => one.stop());
    return async (question, about) => {
      try {
        list = list || fetch(new URL(`${path_to_root}modules/${chapter}.json`, location.href)).then(response => response.json());
        const name = (await list)[about];
        if (!started.has(name)) started.set(name, module(name));
        return started.get(name).asked(question);
      } catch (error) {
        list = null;
        return { ok: false, body: `The chapter’s module can’t be loaded: ${error.message}` };
      }
    };
  };

  const found = (async () => {
    await gradus.session;
    if (root.dataset.served) return server;
    // From a file, without any server, a browser loads no module.
    const named = document.getElementById('gradus-module');
    return named && location.protocol.startsWith('http') && window.Worker && window.WebAssembly ? modules(named.dataset.name) : null;
  })();
  found.then(ask => { if (ask) root.dataset.alive = 'yes'; });

  // An answer about a figure or a property, or an error with the reason in words.
  gradus.ask = async (about, question) => {
    const ask = await found;
    if (!ask) throw new Error('Nobody can answer here: open the book with cargo book.');
    const { ok, body } = await ask(question, about);
    if (!ok) throw new Error(body);
    return JSON.parse(body);
  };
})();
