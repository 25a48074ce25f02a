// What the journeys share: the book being served, a browser, and a reader in it.
import { spawn } from 'node:child_process';
import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const LONG = 20 * 60 * 1000; // the crates may have to be compiled first
export const SOON = 60 * 1000;

// A chromium that the system has; none is downloaded.
export const findBrowser = () => {
  if (process.env.GRADUS_BROWSER) return process.env.GRADUS_BROWSER;
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  return process.env.PATH.split(delimiter).flatMap(folder => names.map(name => join(folder, name))).find(existsSync) || null;
};

// Where the browser may go: the book, and nowhere else.
export const launch = executablePath => chromium.launch({
  executablePath,
  args: ['--no-sandbox', '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1'],
});

const program = (args, said) => new Promise((resolve, reject) => {
  const child = spawn('cargo', ['run', '--quiet', '--bin', 'gradus-book', '--', ...args], { cwd: ROOT });
  let text = '';
  const hear = chunk => { text += chunk; const found = text.match(said); if (found) resolve({ child, found }); };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  child.on('exit', code => reject(new Error(`gradus-book ${args.join(' ')} ended with ${code}:\n${text}`)));
  setTimeout(() => reject(new Error(`gradus-book ${args.join(' ')}: nothing of ${said} in ${LONG / 1000} s:\n${text}`)), LONG).unref();
});

// The book with its server.
export const serve = async () => {
  const { child, found } = await program(['serve', '--no-open'], /The book is at (\S+)/);
  return { address: found[1], end: () => new Promise(resolve => { child.removeAllListeners('exit'); child.on('exit', resolve); child.kill('SIGTERM'); }) };
};

const KINDS = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json', '.wasm': 'application/wasm', '.woff2': 'font/woff2', '.svg': 'image/svg+xml', '.png': 'image/png' };

// The book as any web host has it: files, and nobody behind them.
export const serveStatic = async folder => {
  const made = folder ? null : mkdtempSync(join(tmpdir(), 'gradus-static-'));
  if (made) await program(['build', '--wasm', '--out', made], /Built /);
  const root = folder || made;
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, 'http://book').pathname));
    let file = join(root, path);
    if (existsSync(file) && statSync(file).isDirectory()) file = join(file, 'index.html');
    const there = file.startsWith(root) && existsSync(file);
    response.writeHead(there ? 200 : 404, { 'Content-Type': KINDS[extname(file)] || 'application/octet-stream' });
    if (there) createReadStream(file).pipe(response); else response.end();
  });
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    root,
    address: `http://127.0.0.1:${server.address().port}/`,
    end: async () => { server.close(); server.closeAllConnections(); if (made) rmSync(made, { recursive: true }); },
  };
};

// The chapters in their order, as the summary names them.
export const chapters = () => [...readFileSync(join(ROOT, 'book/src/SUMMARY.md'), 'utf8').matchAll(/\]\((\S+)\.md\)/g)].map(found => found[1]);

// A reader with a page open. Errors on the page, and requests to other machines, are kept.
export const reader = async (browser, address, viewport = { width: 1100, height: 900 }) => {
  const context = await browser.newContext({ viewport });
  const page = await context.newPage();
  const faults = [];
  page.on('console', message => { if (['error', 'warning'].includes(message.type())) faults.push(`console: ${message.text()}`); });
  page.on('pageerror', error => faults.push(`error: ${error.message}`));
  page.on('request', request => {
    const own = request.url().startsWith(address) || /^(data|blob):/.test(request.url());
    if (!own) faults.push(`a request to elsewhere: ${request.url()}`);
  });
  const alive = () => page.waitForFunction(() => document.documentElement.dataset.alive, null, { timeout: SOON });
  const open = async name => { await page.goto(`${address}${name}.html`); };
  return { page, faults, open, alive, ready: () => page.waitForFunction(() => document.documentElement.dataset.run === 'ready', null, { timeout: LONG }), end: () => context.close() };
};

export const must = (holds, what) => { if (!holds) throw new Error(what); };
export const text = async locator => (await locator.textContent() || '').trim();
