// node run.mjs [served|static] [--walk [CHAPTER…]] [--only figures,badges,exercises,blocks]
import { chapters, findBrowser, launch, reader, serve, serveStatic } from './book.mjs';
import * as journeys from './journeys.mjs';
import * as walk from './walk.mjs';

const SERVED = ['read', 'run', 'break', 'explore', 'exercise', 'symbols'];
const STATIC = ['read', 'recorded', 'slips', 'explore', 'everywhere'];

const usage = 'node run.mjs [served|static] [--at ADDRESS] [--folder BUILT] [--walk] [--only JOURNEYS or PARTS] [CHAPTER…]';
const args = process.argv.slice(2);
const take = flag => { const at = args.indexOf(flag); return at < 0 ? null : args.splice(at, 2)[1]; };
const has = flag => { const at = args.indexOf(flag); if (at >= 0) args.splice(at, 1); return at >= 0; };
if (has('--help')) { console.log(usage); process.exit(0); }
const only = take('--only')?.split(',');
const at = take('--at');
const folder = take('--folder');
const walking = has('--walk');
const kinds = ['served', 'static'].filter(kind => args.includes(kind));
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
