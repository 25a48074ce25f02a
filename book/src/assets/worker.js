// A chapter's WebAssembly module at work. It asks the system for a clock, for random numbers (for hash tables; what it draws has a seed) and for a
// place to write what it says when it panics; whatever else a program may ask for is not there.
'use strict';
let made = null; // the module, compiled once
let alive = null; // an instance, until it stops
let said = '';

const OK = 0;
const NOT_THERE = 8; // EBADF
const NO_SUCH_THING = 52; // ENOSYS

const system = memory => {
  const view = () => new DataView(memory().buffer);
  const known = {
    clock_time_get: (_clock, _precision, at) => { view().setBigUint64(at, BigInt(Math.round(performance.now() * 1e6)), true); return OK; },
    random_get: (at, length) => { crypto.getRandomValues(new Uint8Array(memory().buffer, at, length)); return OK; },
    fd_write: (_file, parts, count, written) => {
      let total = 0;
      for (let i = 0; i < count; i++) {
        const [at, length] = [view().getUint32(parts + 8 * i, true), view().getUint32(parts + 8 * i + 4, true)];
        said = (said + new TextDecoder().decode(new Uint8Array(memory().buffer, at, length))).slice(-2000);
        total += length;
      }
      view().setUint32(written, total, true);
      return OK;
    },
    environ_sizes_get: (count, size) => { view().setUint32(count, 0, true); view().setUint32(size, 0, true); return OK; },
    environ_get: () => OK,
    args_sizes_get: (count, size) => { view().setUint32(count, 0, true); view().setUint32(size, 0, true); return OK; },
    args_get: () => OK,
    fd_prestat_get: () => NOT_THERE,
    proc_exit: code => { throw new Error(`it ended with ${code}`); },
    sched_yield: () => OK,
  };
  return new Proxy(known, { get: (all, name) => all[name] || (() => NO_SUCH_THING) });
};

const start = async () => {
  let instance = null;
  const memory = () => instance.exports.memory;
  const imports = {};
  for (const { module } of WebAssembly.Module.imports(await made)) imports[module] = imports[module] || system(memory);
  instance = await WebAssembly.instantiate(await made, imports);
  instance.exports._initialize?.();
  return instance.exports;
};

const answer = async question => {
  alive = alive || await start();
  const bytes = new TextEncoder().encode(question);
  const at = alive.gradus_question(bytes.length);
  new Uint8Array(alive.memory.buffer, at, bytes.length).set(bytes);
  const length = alive.gradus_answer();
  return JSON.parse(new TextDecoder().decode(new Uint8Array(alive.memory.buffer, alive.gradus_answer_at(), length)));
};

// One question after the other.
let turn = Promise.resolve();
onmessage = ({ data }) => {
  if (data.module) {
    made = fetch(data.module).then(async response => {
      if (!response.ok) throw new Error(`${data.module}: ${response.status}`);
      return WebAssembly.compile(await response.arrayBuffer());
    });
    made.catch(() => { /* told with the first answer */ });
    return;
  }
  turn = turn.then(async () => {
    try {
      postMessage({ id: data.id, ...await answer(data.question) });
    } catch (error) {
      // A panic ends an instance: the next question gets a new one.
      alive = null;
      const why = said.trim() || error.message;
      said = '';
      postMessage({ id: data.id, status: 500, body: `The chapter’s module stopped: ${why}` });
    }
  });
};
