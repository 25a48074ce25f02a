// node run.mjs equal [--folder BUILT] [CHAPTER…]
// node run.mjs [served|static] [--walk [CHAPTER…]] [--only figures,badges,exercises,blocks]
import { chapters, findBrowser, launch, reader, serve, serveStatic } from './book.mjs';
import * as equal from './equal.mjs';
import * as journeys from './journeys.mjs';
import * as walk from './walk.mjs';

const SERVED = ['read', 'run', 'break', 'explore', 'exercise', 'symbols'];
const STATIC = ['read', 'recorded', 'slips', 'explore', 'everywhere'];

const usage = 'node run.mjs [served|static] [--at ADDRESS] [--folder BUILT] [--walk] [--only JOURNEYS or PARTS] [CHAPTER…]\n'
  + '  read and use the book as readers do; --walk: everything in every chapter\n'
  + 'node run.mjs equal [--folder BUILT] [CHAPTER…]\n'
  + '  ask the server and the modules the same: they draw the same cases and come to the same verdicts';
const args = process.argv.slice(2);
const take = flag => { const at = args.indexOf(flag); return at < 0 ? null : args.splice(at, 2)[1]; };
const has = flag => { const at = args.indexOf(flag); if (at >= 0) args.splice(at, 1); return at >= 0; };
if (has('--help')) { console.log(usage); process.exit(0); }
const only = take('--only')?.split(',');
const at = take('--at');
const folder = take('--folder');
const walking = has('--walk');
const kinds = ['served', 'static', 'equal'].filter(kind => args.includes(kind));
const named = args.filter(arg => !kinds.includes(arg));

const executable = findBrowser();
if (!executable) {
  console.log('SKIPPED: the page tests need a browser: chromium, google-chrome, or one named by GRADUS_BROWSER');
  process.exit(0);
}
const browser = await launch(executable);
let failed = 0;
const tell = (name, began, wrong) => {
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  console.log(`${wrong.length ? 'FAILED' : 'ok    '} ${name} (${seconds} s)`);
  for (const fault of wrong) console.log(`       ${fault}`);
  failed += wrong.length > 0;
};

for (const kind of kinds.length ? kinds : ['served', 'static']) {
  if (kind === 'equal') {
    const [book, copy] = [await serve(), await serveStatic(folder)];
    const [served, still] = [await reader(browser, book.address), await reader(browser, copy.address)];
    const seen = new Set();
    for (const name of named.length ? named : chapters()) {
      const began = Date.now();
      tell(`equal: ${name}`, began, await equal.chapter(served, still, name, seen).catch(error => [error.message]));
    }
    console.log(`${seen.size} properties`);
    await Promise.all([book.end(), copy.end()]);
    continue;
  }
  const served = kind === 'served';
  const book = at ? { address: at.replace(/\/?$/, '/'), end: () => {} } : served ? await serve() : await serveStatic(folder);
  try {
    if (walking) {
      for (const name of named.length ? named : chapters()) {
        const visitor = await reader(browser, book.address);
        const began = Date.now();
        const wrong = await walk.chapter(visitor, name, { served, only }).catch(error => [error.message, ...visitor.faults]);
        tell(`${kind}: ${name}`, began, wrong);
        await visitor.end();
      }
    } else {
      for (const name of (served ? SERVED : STATIC).filter(name => !only || only.includes(name))) {
        const visitor = await reader(browser, book.address);
        const began = Date.now();
        // What is refused on purpose is an error to the browser too.
        const wrong = await journeys[name]({ ...visitor, chapters }).then(() => visitor.faults.filter(f => !/status of 4\d\d/.test(f)), error => [error.message, ...visitor.faults]);
        tell(`${kind}: ${name}`, began, wrong);
        await visitor.end();
      }
    }
  } finally {
    await book.end();
  }
}
await browser.close();
console.log(failed ? `${failed} failed` : 'all is well');
process.exit(failed ? 1 : 0);
