// Figures that can be moved: a slider, a point or a painted cell changes, the figure is drawn anew by the same Rust function that
// drew the page, and the drawing is swapped. Nothing is computed here but where a brush leaves ink.
(() => {
  'use strict';
  const QUIET = 700; // so long nothing has moved when a screen reader is told: not at every pixel

  // A number as the server writes it: three digits, and a power of ten where plain digits would not do.
  const RAISED = { '-': '⁻', 0: '⁰', 1: '¹', 2: '²', 3: '³', 4: '⁴', 5: '⁵', 6: '⁶', 7: '⁷', 8: '⁸', 9: '⁹' };
  const short = value => {
    if (value === 0 || (Math.abs(value) >= 0.001 && Math.abs(value) < 10000)) return String(Number(value.toPrecision(3))).replace('-', '−');
    const [digits, exponent] = value.toExponential(1).split('e');
    const power = '10' + [...exponent.replace('+', '')].map(c => RAISED[c]).join('');
    return digits === '1.0' ? power : `${digits}·${power}`;
  };
  const between = (value, low, high) => Math.min(high, Math.max(low, value));
  // Ten digits are more than a screen has, and hide what rounding leaves: 0.3, not 0.30000000000000004.
  const tidy = value => Number(value.toPrecision(10));
  const numbers = text => text.split(' ').map(Number);
  const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const REACH = 1.6; // how many cells from its middle a brush leaves no ink any more
  const shape = (name, attributes) => {
    const made = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };

  const enliven = figure => {
    const holder = figure.querySelector('.plot-holder');
    const status = figure.querySelector('.figure-status');
    const heard = figure.querySelector('[role=status]');
    const caption = figure.querySelector('figcaption');
    const back = figure.querySelector('.back');
    const sliders = [...figure.querySelectorAll('.slider input')];
    const buttons = [...figure.querySelectorAll('.press')];
    const layers = [...figure.querySelectorAll('.handles')];
    const grids = [...figure.querySelectorAll('.cells')];

    // Positions of a logarithmic slider are logarithms.
    const value = input => tidy(input.dataset.scale === 'log' ? 10 ** Number(input.value) : Number(input.value));
    const inputs = () => {
      const sent = {};
      for (const input of sliders) sent[input.dataset.name] = value(input);
      for (const layer of layers) {
        const handles = [...layer.querySelectorAll('.handle')];
        const chosen = handles.findIndex(h => h.classList.contains('chosen'));
        sent[layer.dataset.name] = { at: handles.map(h => numbers(h.dataset.at)), chosen: chosen < 0 ? null : chosen };
      }
      for (const grid of grids) sent[grid.dataset.name] = grid.values;
      for (const button of buttons) if (button.getAttribute('aria-pressed') === 'true') sent[button.dataset.name] = true;
      return sent;
    };

    // One question at a time: what moves meanwhile is asked for with the next one, and nothing arrives out of order.
    let asking = false;
    let moved = false;
    let pressed = null; // the button that the next question is about
    let telling;
    const show = async () => {
      moved = true;
      if (asking) return;
      asking = true;
      while (moved) {
        moved = false;
        const sent = inputs();
        const button = pressed;
        pressed = null;
        if (button) {
          sent[button.dataset.name] = true;
          button.setAttribute('aria-busy', 'true');
          status.classList.remove('refused');
          status.textContent = heard.textContent = button.dataset.busy;
        }
        const drawn = await draw(sent);
        button?.removeAttribute('aria-busy');
        // It can be pressed again.
        if (!drawn && button?.hasAttribute('aria-pressed')) button.setAttribute('aria-pressed', 'false');
      }
      asking = false;
      clearTimeout(telling);
      telling = setTimeout(() => { heard.textContent = status.textContent; }, QUIET);
    };
    const draw = async sent => {
      try {
        const drawn = await window.gradus.ask(figure.dataset.figure, { figure: figure.dataset.figure, inputs: sent });
        holder.innerHTML = drawn.svg;
        caption.textContent = drawn.caption;
        status.textContent = drawn.status;
        status.classList.remove('refused');
        return true;
      } catch (error) {
        status.textContent = error.message;
        status.classList.add('refused');
        return false;
      }
    };

    const tell = input => {
      const unit = input.dataset.unit ? ' ' + input.dataset.unit : '';
      input.nextElementSibling.textContent = short(value(input)) + unit;
      input.setAttribute('aria-valuetext', short(value(input)) + unit);
    };
    for (const input of sliders) {
      tell(input);
      input.addEventListener('input', () => { tell(input); show(); });
    }

    for (const layer of layers) {
      const [left, top, right, bottom] = numbers(layer.dataset.frame);
      const [x0, y0, x1, y1] = numbers(layer.dataset.axes);
      const [lowX, highX, lowY, highY] = numbers(layer.dataset.limits);
      const step = Number(layer.dataset.step);
      // From the axes' numbers to the drawing and, for a pointer, from the screen to the axes.
      const place = (handle, x, y) => {
        [x, y] = [between(x, lowX, highX), between(y, lowY, highY)].map(v => tidy(Math.round(v / step) * step));
        handle.dataset.at = `${x} ${y}`;
        const [px, py] = [left + (x - x0) / (x1 - x0) * (right - left), top + (y - y0) / (y1 - y0) * (bottom - top)];
        handle.setAttribute('transform', `translate(${px} ${py})`);
        handle.setAttribute('aria-valuenow', y);
        handle.setAttribute('aria-valuetext', `x ${x}, y ${y}`);
      };
      const under = event => {
        const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(layer.getScreenCTM().inverse());
        return [x0 + (at.x - left) / (right - left) * (x1 - x0), y0 + (at.y - top) / (bottom - top) * (y1 - y0)];
      };
      const move = (handle, x, y) => {
        layer.querySelectorAll('.chosen').forEach(h => h.classList.remove('chosen'));
        handle.classList.add('chosen');
        place(handle, x, y);
        show();
      };
      for (const handle of layer.querySelectorAll('.handle')) {
        place(handle, ...numbers(handle.dataset.at));
        handle.dataset.first = handle.dataset.at;
        let grip = null; // where in the point the pointer has taken hold
        handle.addEventListener('pointerdown', event => {
          if (event.button !== 0) return;
          const [x, y] = numbers(handle.dataset.at);
          const [px, py] = under(event);
          grip = [x - px, y - py];
          handle.setPointerCapture(event.pointerId);
          handle.focus({ preventScroll: true });
          event.preventDefault();
          move(handle, x, y);
        });
        handle.addEventListener('pointermove', event => {
          if (!grip) return;
          const [px, py] = under(event);
          move(handle, px + grip[0], py + grip[1]);
        });
        // A finger on a point moves the point, not the page; touch-action alone does not say so for parts of a drawing.
        handle.addEventListener('touchstart', event => event.preventDefault(), { passive: false });
        for (const end of ['pointerup', 'pointercancel', 'lostpointercapture']) {
          handle.addEventListener(end, () => { grip = null; });
        }
        handle.addEventListener('keydown', event => {
          const way = WAYS[event.key];
          if (!way || event.altKey || event.ctrlKey || event.metaKey) return;
          // mdBook would turn the page.
          event.preventDefault();
          event.stopPropagation();
          const [x, y] = numbers(handle.dataset.at);
          const far = event.shiftKey ? 10 * step : step;
          move(handle, x + way[0] * far, y - way[1] * far);
        });
      }
      layer.back = () => layer.querySelectorAll('.handle').forEach(handle => {
        handle.classList.remove('chosen');
        place(handle, ...numbers(handle.dataset.first));
      });
    }

    for (const grid of grids) {
      const [rows, columns] = numbers(grid.dataset.size);
      const [least, most] = numbers(grid.dataset.range);
      const step = Number(grid.dataset.step); // 0 is a brush
      const side = grid.viewBox.baseVal.width / columns;
      const first = numbers(grid.dataset.values);
      const cells = [];
      for (let row = 0; row < rows; row++) {
        const line = grid.appendChild(shape('g', { role: 'row' }));
        for (let column = 0; column < columns; column++) {
          const cell = shape('g', { role: 'gridcell', id: `${figure.id}-${grid.dataset.name}-${row}-${column}` });
          const corner = { x: column * side, y: row * side, width: side, height: side };
          cell.append(shape('rect', { class: 'paper', ...corner }), shape('rect', corner));
          if (step) cell.append(shape('text', { x: (column + 0.5) * side, y: (row + 0.5) * side, 'aria-hidden': true }));
          cells.push(line.appendChild(cell));
        }
      }
      const cursor = grid.appendChild(shape('rect', { class: 'cursor', width: side, height: side }));
      const set = (i, value) => {
        const [cell, shown] = [cells[i], short(value)];
        grid.values[i] = value;
        cell.setAttribute('aria-label', `row ${Math.floor(i / columns)}, column ${i % columns}: ${shown}`);
        const ink = cell.children[1];
        ink.setAttribute('class', value < 0 ? 'below' : 'above');
        // Under a number the colour is paler, or the number could not be read.
        ink.setAttribute('fill-opacity', Math.abs(value) / Math.max(most, -least) * (step ? 0.2 : 1));
        if (step) cell.children[2].textContent = shown;
      };
      const fill = values => { grid.values = []; values.forEach((value, i) => set(i, value)); };
      let at = 0;
      const go = i => {
        at = i;
        cursor.setAttribute('x', i % columns * side);
        cursor.setAttribute('y', Math.floor(i / columns) * side);
        grid.setAttribute('aria-activedescendant', cells[i].id);
      };
      const painted = () => {
        const [name, position] = (grid.dataset.chooses || '').split(' ');
        const slider = sliders.find(input => input.dataset.name === name);
        if (slider) { slider.value = position; tell(slider); }
        show();
      };
      // Ink, or paper if one rubs out, along a line from one place to another, in cells.
      const stroke = ([x0, y0], [x1, y1], rub) => {
        const [dx, dy] = [x1 - x0, y1 - y0];
        const long = dx * dx + dy * dy;
        grid.values.forEach((value, i) => {
          const [x, y] = [i % columns + 0.5 - x0, Math.floor(i / columns) + 0.5 - y0];
          const along = long ? between((x * dx + y * dy) / long, 0, 1) : 0;
          const ink = between(REACH - Math.hypot(x - along * dx, y - along * dy), 0, 1);
          const shade = Math.round(100 * (least + (most - least) * (rub ? 1 - ink : ink))) / 100;
          if (rub ? shade < value : shade > value) set(i, shade);
        });
        painted();
      };
      const turn = (i, by) => {
        const next = tidy(grid.values[i] + by);
        set(i, next > most ? least : next < least ? most : next);
        painted();
      };
      const under = event => {
        const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(grid.getScreenCTM().inverse());
        return [place.x / side, place.y / side];
      };
      const touched = ([x, y]) => between(Math.floor(y), 0, rows - 1) * columns + between(Math.floor(x), 0, columns - 1);
      if (step) {
        grid.addEventListener('click', event => {
          go(touched(under(event)));
          turn(at, event.shiftKey ? -step : step);
        });
      } else {
        grid.classList.add('brush');
        let before = null; // where the brush was
        const rubs = event => event.shiftKey || (event.buttons & 32) !== 0; // the other end of a pen
        grid.addEventListener('pointerdown', event => {
          if (event.button !== 0 && event.button !== 5) return;
          before = under(event);
          grid.setPointerCapture(event.pointerId);
          grid.focus({ preventScroll: true });
          event.preventDefault();
          go(touched(before));
          stroke(before, before, rubs(event));
        });
        grid.addEventListener('pointermove', event => {
          if (!before) return;
          const now = under(event);
          stroke(before, now, rubs(event));
          before = now;
          go(touched(now));
        });
        grid.addEventListener('touchstart', event => event.preventDefault(), { passive: false });
        for (const end of ['pointerup', 'pointercancel', 'lostpointercapture']) {
          grid.addEventListener(end, () => { before = null; });
        }
      }
      grid.addEventListener('keydown', event => {
        if (event.altKey || event.ctrlKey || event.metaKey) return;
        const [row, column] = [Math.floor(at / columns), at % columns];
        const way = WAYS[event.key];
        if (way) {
          go(between(row + way[1], 0, rows - 1) * columns + between(column + way[0], 0, columns - 1));
        } else if (event.key === ' ' || event.key === 'Enter') {
          const middle = [column + 0.5, row + 0.5];
          if (step) turn(at, event.shiftKey ? -step : step); else stroke(middle, middle, event.shiftKey);
        } else if (step && (event.key === '+' || event.key === '-')) {
          turn(at, event.key === '+' ? step : -step);
        } else if (event.key === 'Delete' || event.key === 'Backspace') {
          set(at, 0);
          painted();
        } else return;
        // mdBook would turn the page, or the browser scroll it.
        event.preventDefault();
        event.stopPropagation();
        heard.textContent = cells[at].getAttribute('aria-label');
      });
      grid.parentElement.querySelector('.clear').addEventListener('click', () => {
        fill(first.map(() => 0));
        painted();
      });
      grid.back = () => { fill(first); go(0); };
      grid.back();
    }

    for (const button of buttons) {
      const stays = button.hasAttribute('aria-pressed');
      button.addEventListener('click', () => {
        if (button.getAttribute('aria-busy')) return; // one at a time
        const on = button.getAttribute('aria-pressed') !== 'true';
        if (stays) button.setAttribute('aria-pressed', String(on));
        pressed = on ? button : null;
        show();
      });
    }

    back.addEventListener('click', () => {
      for (const input of sliders) { input.value = input.defaultValue; tell(input); }
      for (const layer of [...layers, ...grids]) layer.back();
      for (const button of buttons) if (button.hasAttribute('aria-pressed')) button.setAttribute('aria-pressed', 'false');
      show();
    });
  };

  document.querySelectorAll('figure.live').forEach(enliven);
})();
