// Figures that can be moved: a slider or a point changes, the book's server draws the figure anew with the same Rust
// function that drew the page, and the drawing is swapped. Nothing is computed here.
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

  const enliven = figure => {
    const holder = figure.querySelector('.plot-holder');
    const status = figure.querySelector('.figure-status');
    const heard = figure.querySelector('[role=status]');
    const caption = figure.querySelector('figcaption');
    const back = figure.querySelector('.back');
    const sliders = [...figure.querySelectorAll('.slider input')];
    const buttons = [...figure.querySelectorAll('.press')];
    const layers = [...figure.querySelectorAll('.handles')];

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
        await draw(sent);
        button?.removeAttribute('aria-busy');
      }
      asking = false;
      clearTimeout(telling);
      telling = setTimeout(() => { heard.textContent = status.textContent; }, QUIET);
    };
    const draw = async sent => {
      try {
        const response = await fetch('/__gradus/figure.json', {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({ figure: figure.dataset.figure, inputs: sent }),
        });
        const answer = await response.text();
        if (!response.ok) throw new Error(answer);
        const drawn = JSON.parse(answer);
        holder.innerHTML = drawn.svg;
        caption.textContent = drawn.caption;
        status.textContent = drawn.status;
        status.classList.remove('refused');
      } catch (error) {
        // A failed request to a server that has ended is a TypeError in every browser.
        status.textContent = error instanceof TypeError
          ? 'The book’s server does not answer. Start it with cargo book, then reload this page.' : error.message;
        status.classList.add('refused');
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
          const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
          if (!way || event.altKey || event.ctrlKey || event.metaKey) return;
          // mdBook would turn the page.
          event.preventDefault();
          event.stopPropagation();
          const [x, y] = numbers(handle.dataset.at);
          const far = event.shiftKey ? 10 * step : step;
          move(handle, x + way[0] * far, y + way[1] * far);
        });
      }
      layer.back = () => layer.querySelectorAll('.handle').forEach(handle => {
        handle.classList.remove('chosen');
        place(handle, ...numbers(handle.dataset.first));
      });
    }

    for (const button of buttons) {
      button.addEventListener('click', () => {
        if (button.getAttribute('aria-busy')) return; // one at a time
        pressed = button;
        show();
      });
    }

    back.addEventListener('click', () => {
      for (const input of sliders) { input.value = input.defaultValue; tell(input); }
      for (const layer of layers) layer.back();
      show();
    });
  };

  document.querySelectorAll('figure.live').forEach(enliven);
})();
