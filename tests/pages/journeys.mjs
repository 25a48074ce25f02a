// Five journeys of a reader: read, run, break, explore, exercise. Each is walked with the keyboard where a keyboard can walk it.
import { SOON, must, text } from './book.mjs';

// A crate is compiled for the first time, on a machine that may be at other work.
const COMPILES = 120_000;

// Waits until an element's text matches.
const hears = async (locator, pattern, what, patience = SOON) => {
  const until = Date.now() + patience;
  while (Date.now() < until) {
    const said = await text(locator).catch(() => '');
    if (pattern.test(said)) return said;
    await locator.page().waitForTimeout(100);
  }
  throw new Error(`${what}: it says “${await text(locator)}”`);
};

export const read = async ({ page, open, alive }) => {
  await open('reading');
  await page.keyboard.press('Tab');
  must(await page.evaluate(() => document.activeElement.className === 'skip-link'), 'the keyboard reaches the skip link first');
  await page.keyboard.press('Enter');
  must(await page.evaluate(() => document.activeElement.tagName === 'MAIN'), 'the skip link leads to the text');
  await page.locator('a.eqref').first().click();
  must(page.url().includes('#eq-'), 'a reference leads to its formula');
  const formula = page.locator('.formula').first();
  await formula.waitFor();
  must(await formula.locator('math annotation[encoding="application/x-tex"]').count() > 0, 'a formula keeps its LaTeX');
  must(await formula.locator('a.source').count() === 1, 'a formula leads to its source');
  await formula.locator('a.source').click();
  must(await page.locator('span:target').count() === 1, 'the source is opened at the line of the item');
  await page.goBack();
  await alive();
  const figure = page.locator('figure.live').first();
  const before = await figure.locator('.plot-holder').innerHTML();
  await figure.locator('.slider input').first().focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  for (let i = 0; i < 200 && await figure.locator('.plot-holder').innerHTML() === before; i++) await page.waitForTimeout(50);
  must(await figure.locator('.plot-holder').innerHTML() !== before, 'a figure follows its slider');
};

export const run = async ({ page, open, ready }) => {
  await open('reading');
  await ready();
  const block = page.locator('pre.playground').first();
  await block.locator('.play-button').focus();
  await page.keyboard.press('Enter');
  await hears(block.locator('code.result'), /sigmoid\(4\) = 0\.9820/, 'a listing prints');
};

// With the book's server: a slip is chosen, compiled and noticed, and so is an edit.
const change = async ({ page, open, ready }) => {
  await open('activations');
  await ready();
  const block = page.locator('#code-sigmoid');
  await block.locator('summary').first().focus();
  await page.keyboard.press('Enter');
  const verdict = block.locator('.verdict');
  await block.locator('select.slip').waitFor({ state: 'visible' });
  await block.locator('select.slip').selectOption({ index: 1 });
  await block.locator('.check').click();
  await hears(verdict, /✗ sigmoid\.values[\s\S]* of \d+ properties hold/, 'a slip is noticed', COMPILES);
  must((await text(verdict)).includes('✓ sigmoid.symmetry'), 'and not by every property');
  must(await block.locator('.story:visible').count() === 1, 'what is wrong is told');
  await block.locator('.mend').click();
  await block.locator('.check').click();
  await hears(verdict, /All \d+ properties hold/, 'the code as it was holds', COMPILES);
  await block.evaluate(b => window.ace.edit(b.querySelector('.break-editor')).setValue('pub fn sigmoid<T: Scalar>(x: T) -> T {\n    x +\n}', -1));
  await block.locator('.check').click();
  await hears(verdict, /expected expression[\s\S]*:3:/, 'what does not compile is told with its line', COMPILES);
};

// Without a server: the slips that are compiled in.
export const slips = async ({ page, open, alive }) => {
  await open('activations');
  await alive();
  const block = page.locator('#code-sigmoid');
  await block.locator('summary').first().focus();
  await page.keyboard.press('Enter');
  const verdict = block.locator('.verdict');
  await hears(block.locator('.break-said'), /can compile nothing/, 'it is said what this copy can not do');
  must(await block.locator('.edit').isHidden(), 'no editor is offered');
  await block.locator('select.slip').selectOption({ index: 1 });
  must((await text(block.locator('pre code').first())).includes('math::sigmoid(-x)'), 'the slip is shown in the code');
  await block.locator('.check').click();
  await hears(verdict, /✗ sigmoid\.values[\s\S]*of \d+ properties notice it/, 'the slip is noticed', COMPILES);
  must((await text(verdict)).includes('✓ sigmoid.symmetry'), 'and not by every property');
  await block.locator('.mend').click();
  must((await text(block.locator('pre code').first())).includes('math::sigmoid(x)'), 'the code is as it was');
};

// Without a server: what a listing printed.
export const recorded = async ({ page, open }) => {
  await open('reading');
  const block = page.locator('pre.playground').first();
  must(!await block.locator('.play-button').first().isVisible().catch(() => false), 'no button is offered that nobody answers');
  const printed = page.locator('details.recorded').first();
  await printed.locator('summary').focus();
  await page.keyboard.press('Enter');
  must(/sigmoid\(4\) = 0\.9820/.test(await text(printed.locator('pre'))), 'what the listing printed is there');
};

// A symbol tells its meaning to the pointer and to the keyboard, and is marked in the code.
export const symbols = async ({ page, open }) => {
  await open('activations');
  const formula = page.locator('#eq-sigmoid');
  await formula.locator('details.code > summary').click();
  const found = formula.locator('math .symbol');
  await found.first().focus();
  const note = page.locator('#symbol-note');
  must(await note.isVisible() && (await text(note)).includes('the logistic sigmoid'), 'the focus tells what a symbol means');
  await page.keyboard.press('ArrowRight');
  must((await text(note)).includes('pre-activation') && (await text(note)).includes('in code: x'), 'the arrow goes to the next one');
  must(await page.evaluate(() => CSS.highlights.get('symbol').size) === 2, 'it is marked in the code');
  await page.keyboard.press('Escape');
  must(await note.isHidden(), 'Escape takes the note away');
  await found.nth(1).hover();
  must(await note.isVisible(), 'the pointer shows it, too');
};

// On a phone: no page is wider than the window. On paper: mathematics is drawn, not a picture; and who wants no motion gets none.
export const everywhere = async ({ page, open, chapters }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await page.emulateMedia({ reducedMotion: 'reduce' });
  for (const name of chapters()) {
    await open(name);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    must(wide <= 0, `${name} is ${wide} px too wide for a phone`);
    const moving = await page.evaluate(() => document.getAnimations().filter(a => a.playState === 'running').length);
    must(moving === 0, `${name}: something moves`);
  }
  await page.setViewportSize({ width: 1100, height: 900 });
  await open('activations');
  await page.emulateMedia({ media: 'print' });
  for (const gone of ['.explorer', '.break', 'button']) must(await page.locator(`main ${gone}:visible`).count() === 0, `${gone} is not printed`);
  must(await page.locator('main math:visible').count() > 50, 'mathematics is printed');
  const pdf = (await page.pdf()).toString('latin1');
  must(pdf.startsWith('%PDF') && !/\/Subtype ?\/Image/.test(pdf), 'everything is printed as drawings and text, nothing as a picture');
};

export const explore = async ({ page, open, alive }) => {
  await open('activations');
  await alive();
  const evidence = page.locator('#ev-sigmoid');
  const badge = evidence.locator('.badge[data-property="sigmoid.symmetry"]');
  await badge.focus();
  await page.keyboard.press('Enter');
  const panel = evidence.locator('.explorer');
  await hears(panel.locator('.explore-said'), /^256 cases, pass/, 'a property runs when its badge is pressed');
  must(await panel.locator('.bars svg').count() >= 2, 'what was drawn and the residuals are shown');
  await panel.locator('input[name=cases]').fill('1000');
  await panel.locator('input[name=x][data-end=to]').fill('5');
  await panel.locator('input[name=x][data-end=from]').fill('-5');
  await page.keyboard.press('Enter');
  await hears(panel.locator('.explore-said'), /^1000 cases, pass/, 'it runs with a reader’s ranges');
  must((await text(panel)).includes('--range x=-5..5'), 'the command line says the same');
  await panel.locator('input[name=x][data-end=to]').fill('1e999');
  await panel.locator('input[name=x][data-end=to]').evaluate(input => { input.type = 'text'; input.value = '1e999'; });
  await panel.locator('button[type=submit]').click();
  await hears(panel.locator('.explore-said.refused'), /question|range/, 'a range that is none is refused');
  await page.keyboard.press('Escape');
  must(await panel.isHidden() && await badge.evaluate(b => b === document.activeElement), 'Escape closes the panel and gives the badge the focus back');
  const printed = page.locator('.badge[data-property="prelu.printed"]').first();
  await printed.click();
  const other = page.locator('.evidence', { has: printed }).locator('.explorer');
  await hears(other.locator('.explore-said'), /refuted, as it should be/, 'a misprint is refuted');
  must(await other.locator('.path tbody tr').count() > 1, 'the way to the smallest counterexample is shown');
};

export const exercise = async ({ page, open, ready }) => {
  await open('activations');
  await ready();
  const place = page.locator('#exercise-stable-softmax');
  const verdict = place.locator('.verdict');
  await place.locator('.check').click();
  await hears(verdict, /✗ sum: .*fails at/, 'what an exercise begins with fails');
  must(!await place.evaluate(e => e.classList.contains('done')), 'it is not solved');
  await solve(place);
  await place.locator('.check').click();
  await hears(verdict, /All \d+ properties hold/, 'the solution holds');
  await open('exercises');
  must((await text(page.locator('.progress-said'))).startsWith('1 of '), 'the list tells what is solved');
  const [download] = await Promise.all([page.waitForEvent('download'), page.locator('.export').click()]);
  const saved = await (await download.createReadStream()).toArray();
  must(Buffer.concat(saved).toString().includes('stable-softmax'), 'progress is saved to a file');
  page.once('dialog', dialog => dialog.accept());
  await page.locator('.forget').click();
  must((await text(page.locator('.progress-said'))).includes('0 of '), 'and forgotten');
  await page.locator('.import input').setInputFiles({ name: 'progress.json', mimeType: 'application/json', buffer: Buffer.concat(saved) });
  await hears(page.locator('.progress-said'), /1 of /, 'and loaded again');
};

export { change as break };

// Puts an exercise's solution into its editor.
export const solve = place => place.evaluate(exercise => {
  const editor = window.editors.find(e => exercise.contains(e.container));
  editor.setValue(exercise.querySelector('.solution pre code').textContent, -1);
});
