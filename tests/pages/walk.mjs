// A walk through every chapter: nothing on the console, every figure answers its slider, every badge runs, every exercise fails before and holds after
// its solution, every block's button prints.
import { SOON, must, text } from './book.mjs';
import { solve } from './journeys.mjs';

// So many cases show that a badge runs; how a property comes out with all of them is tested where it is written.
const CASES = 4;

const figures = async page => {
  const wrong = [];
  for (const figure of await page.locator('figure.live').all()) {
    const slider = figure.locator('.slider input').first();
    // Some can be moved only where there is a server, and say so.
    if (!await slider.count() || !await slider.isVisible()) continue;
    const name = await figure.getAttribute('id');
    const holder = figure.locator('.plot-holder');
    const [before, status] = [await holder.innerHTML(), figure.locator('.figure-status')];
    // To the end that is farther away: there it looks different.
    await slider.evaluate(input => {
      const [low, high, at] = [input.min, input.max, input.value].map(Number);
      input.value = at - low > high - at ? low : high;
      input.dispatchEvent(new Event('input', { bubbles: true }));
    });
    const until = Date.now() + SOON;
    while (await holder.innerHTML() === before && Date.now() < until && !await status.evaluate(s => s.classList.contains('refused'))) await page.waitForTimeout(30);
    if (await holder.innerHTML() === before) wrong.push(`${name} does not answer: ${await text(status)}`);
  }
  return wrong;
};

// A badge that is waited for longer, in seconds, is told of.
export const PATIENCE = 10;

// Asked in the page: what comes of so many cases of a property, and after how long.
export const explore = async ([property, cases]) => {
  const began = Date.now();
  let answer = await window.gradus.ask(property, { explore: property, cases });
  while (!answer.done) answer = await window.gradus.ask(property, { more: answer.run });
  return { ...answer, seconds: (Date.now() - began) / 1000 };
};

const badges = async page => {
  const wrong = [];
  const shown = await page.evaluate(() => [...document.querySelectorAll('.evidence .badge')].map(badge => [badge.dataset.property, badge.querySelector('[aria-hidden]').textContent]));
  for (const [property, mark] of shown) {
    try {
      // A misprint's counterexample may take its time to come by.
      let answer = await page.evaluate(explore, [property, mark === '≠' ? 1024 : CASES]);
      // Some draw much that they can't use, and hold only if they could use anything.
      if (answer.verdict.includes('given up')) answer = await page.evaluate(explore, [property, 256]);
      const expected = { '✓': 'pass', '≠': 'refuted' }[mark];
      if (answer.outcome !== expected) wrong.push(`${property} has the badge ${mark} and comes out as ${answer.outcome}: ${answer.verdict}`);
      if (answer.seconds > PATIENCE) console.log(`       ${property} took ${answer.seconds.toFixed(0)} s`);
    } catch (error) {
      wrong.push(`${property}: ${error.message}`);
    }
  }
  return wrong;
};

const exercises = async page => {
  const wrong = [];
  for (const exercise of await page.locator('.exercise').all()) {
    const name = await exercise.getAttribute('data-exercise');
    const check = async () => {
      const button = exercise.locator('.check');
      await button.click();
      for (const until = Date.now() + SOON; Date.now() < until && await button.getAttribute('aria-busy') === 'true';) await page.waitForTimeout(30);
      return exercise.locator('.verdict').evaluate(verdict => [verdict.classList.contains('held'), verdict.textContent]);
    };
    const [heldBefore, before] = await check();
    if (heldBefore || !before.includes('✗')) wrong.push(`${name} does not fail before its solution: ${before}`);
    await solve(exercise);
    const [held, after] = await check();
    if (!held || after.includes('✗')) wrong.push(`${name} does not hold after its solution: ${after}`);
  }
  return wrong;
};

const blocks = async page => {
  const wrong = [];
  for (const block of await page.locator('pre.playground:not(.exercise pre)').all()) {
    const button = block.locator('.play-button');
    if (!await button.count()) continue;
    await button.evaluate(b => b.click());
    const result = block.locator('code.result');
    const until = Date.now() + SOON;
    while (Date.now() < until && ['', 'Running...'].includes(await text(result).catch(() => ''))) await page.waitForTimeout(50);
    const said = await text(result).catch(() => '');
    // Some are there to panic.
    const panics = await block.locator('code.should_panic').count();
    if (panics ? !said.includes('panicked at') : ['', 'Running...', 'No output'].includes(said) || /^error[[:]|panicked at|The book’s server/m.test(said)) {
      const code = await block.locator('code').first().textContent();
      wrong.push(`a block prints “${said.slice(0, 300)}”:\n${code.slice(0, 200)}`);
    }
  }
  return wrong;
};

const PARTS = { figures, badges };
const WITH_SERVER = { ...PARTS, exercises, blocks };

// Walks through a chapter; what is wrong with it, in words.
export const chapter = async (visitor, name, { served, only }) => {
  await visitor.open(name);
  const something = await visitor.page.locator('figure.live, .evidence, .exercise, pre.playground').count();
  if (something && await visitor.page.locator('#gradus-module').count() + served) await visitor.alive();
  if (served && something) await visitor.ready();
  const wrong = [];
  for (const [part, walk] of Object.entries(served ? WITH_SERVER : PARTS)) {
    if (only && !only.includes(part)) continue;
    wrong.push(...await walk(visitor.page));
  }
  must(visitor.faults.length < 1000, 'the console overflows');
  return [...wrong, ...visitor.faults.splice(0)].map(fault => `${name}: ${fault}`);
};
