// The server and a chapter's modules are asked the same: for the same seed both draw the same cases and come to the same verdict, for every property.
import { PATIENCE, explore } from './walk.mjs';

const CASES = 8;

// What differs in a chapter, in words. A property that belongs to several chapters is asked about once.
export const chapter = async (served, still, name, seen) => {
  await still.open(name);
  if (!await still.page.locator('#gradus-module').count()) return [];
  await served.open(name);
  await Promise.all([served.alive(), still.alive()]);
  const about = await still.page.evaluate(() => [...document.querySelectorAll('.evidence .badge')].map(badge => badge.dataset.property));
  const wrong = [];
  for (const property of about.filter(one => !seen.has(one))) {
    seen.add(property);
    const ask = visitor => visitor.page.evaluate(explore, [property, CASES]).catch(error => ({ verdict: error.message }));
    const [native, module] = [await ask(served), await ask(still)];
    for (const what of ['outcome', 'drawn']) {
      if (native[what] !== module[what]) wrong.push(`${property}: ${what} is ${native[what]} with the server and ${module[what]} in the module: ${native.verdict}; ${module.verdict}`);
    }
    if (module.seconds > PATIENCE) console.log(`       ${property} took ${module.seconds.toFixed(0)} s in the module`);
  }
  return [...wrong, ...served.faults.splice(0), ...still.faults.splice(0)];
};
