//! The derivations of the chapters, line by line: how often a window fits, the padding that keeps a size, the
//! way back of both, and the gradients of a convolution.

use super::counted;
use crate::{Convolution, Window};
use gradus_autograd::Op;
use gradus_formula::{Case, Derivation, Draw, Failure, Property};
use gradus_tensor::Tensor;

pub(super) fn properties() -> Vec<Property> {
    [windows_that_fit(), half_a_padding(), size_before(), gradients()]
        .iter()
        .map(Derivation::property)
        .collect()
}

/// E, S as numbers that may be subtracted.
fn extent(case: &Case<'_>) -> [i64; 2] {
    [case.integer("dilation") * (case.integer("size") - 1) + 1, case.integer("stride")]
}

/// N, E and S: as many more elements as it takes for one window.
fn sizes(case: &Case<'_>) -> [i64; 3] {
    let [extent, stride] = extent(case);
    [case.integer("more") + extent, extent, stride]
}

fn window(derivation: Derivation) -> Derivation {
    derivation
        .draw(Draw::size("size", 1..=6).limited(1.0..=50.0))
        .draw(Draw::size("stride", 1..=5).limited(1.0..=50.0))
        .draw(Draw::size("dilation", 1..=3).limited(1.0..=20.0))
}

fn window_of(case: &Case<'_>) -> Window {
    Window::new(case.size("size")).stride(case.size("stride")).dilation(case.size("dilation"))
}

/// How often a window fits.
fn windows_that_fit() -> Derivation {
    window(Derivation::new("conv-valid-output.derivation", &["conv-valid-output"], "How often a window fits"))
        .draw(Draw::integer("more", 0..=30).limited(0.0..=300.0))
        .within("whole numbers", 1e-12)
        .line(
            r"\#\{\, \text{starts } 0, S, 2S, \dots \text{ from which all } F \text{ taps lie on elements}
                \,\}",
            r"what is wanted, of $N \ge E$ elements; tried out, tap by tap",
            |case| {
                let [n, ..] = sizes(case);
                Ok(vec![counted(&window_of(case), n as usize) as f64])
            },
        )
        .line(
            r"\#\{\, o = 0, 1, 2, \dots : oS + E - 1 \le N - 1 \,\}, \qquad E = D(F - 1) + 1",
            r"the last tap lies $D(F - 1)$ behind the first; if it has an element, all have one",
            |case| {
                let [n, extent, s] = sizes(case);
                Ok(vec![(0..=n).filter(|o| o * s + extent < n + 1).count() as f64])
            },
        )
        .line(
            r"\#\bigl\{\, o = 0, 1, 2, \dots : o \le \tfrac{N - E}{S} \,\bigr\}",
            r"moved to the other side, and divided by $S > 0$",
            |case| {
                let [n, extent, s] = sizes(case);
                let most = (n - extent) as f64 / s as f64;
                Ok(vec![(0..=n).filter(|&o| o as f64 <= most).count() as f64])
            },
        )
        .line(
            r"\left\lfloor \frac{N - E}{S} \right\rfloor + 1",
            r"from $0$ to the largest whole number there are so many, and one",
            |case| {
                let [n, ..] = sizes(case);
                Ok(vec![window_of(case).output(n as usize)? as f64])
            },
        )
}

/// The notes' padding, which keeps the size for odd windows only.
fn half_a_padding() -> Derivation {
    Derivation::new(
        "conv-same-padding.derivation-slip",
        &["conv-same-padding"],
        "A derivation with a wrong line: as many outputs as elements",
    )
    .draw(Draw::integer("n", 1..=20).limited(1.0..=200.0))
    .draw(Draw::integer("size", 1..=9).limited(1.0..=50.0))
    .slip(3)
    .within("whole numbers", 1e-12)
    .line("N", r"what is wanted: as many outputs as elements, with a stride of $1$", |case| {
        Ok(vec![case.real("n")])
    })
    .line(r"(N + P - F) + 1, \qquad P = F - 1", r"windows among $N + P$ elements; $P$ is padding", |case| {
        let (n, f) = (case.size("n"), case.size("size"));
        Ok(vec![counted(&Window::new(f).padded_by(0, f - 1), n) as f64])
    })
    .line(
        r"(N + P' + P' - F) + 1, \qquad P' = \left\lfloor \tfrac{F - 1}{2} \right\rfloor",
        r"half of it on either side, as a whole number",
        |case| {
            let (n, f) = (case.integer("n"), case.integer("size"));
            let half = (f - 1) / 2;
            Ok(vec![(n + half + half - f + 1) as f64])
        },
    )
    .line(
        r"\left\lfloor \frac{N + 2P' - F}{1} \right\rfloor + 1",
        r"the number of windows with $P'$ on both sides",
        |case| {
            let (n, f) = (case.size("n"), case.size("size"));
            // An even window may be longer than what there is, by one.
            let window = Window::new(f).padded((f - 1) / 2);
            Ok(vec![if n + 2 * window.padding[0] < f { 0.0 } else { window.output(n)? as f64 }])
        },
    )
}

/// Which size a transposed convolution has to give back.
fn size_before() -> Derivation {
    /// O, E, S, the whole padding and the output padding.
    fn drawn(case: &Case<'_>) -> [i64; 5] {
        let [extent, s] = extent(case);
        // No more padding than leaves an element, and no more output padding than the stride tells apart.
        [
            case.integer("output"),
            extent,
            s,
            case.integer("padding").min(extent - 1),
            case.integer("extra") % s,
        ]
    }
    window(Derivation::new(
        "conv-padded-output.derivation",
        &["conv-padded-output", "transposed-conv"],
        "The size before, from the size behind",
    ))
    .draw(Draw::integer("output", 1..=12).limited(1.0..=50.0))
    .draw(Draw::integer("padding", 0..=6).limited(0.0..=100.0))
    .draw(Draw::integer("extra", 0..=4).limited(0.0..=50.0))
    .within("whole numbers", 1e-12)
    .line(
        r"\text{the first } N \text{ with } \left\lfloor \frac{N + P - E}{S} \right\rfloor + 1 = O,
            \text{ or the one } P' < S \text{ places behind it}",
        r"what is wanted: the formula turned round; found by trying",
        |case| {
            let [output, extent, s, padding, extra] = drawn(case);
            let gives = |n: &i64| n + padding >= extent && (n + padding - extent) / s + 1 == output;
            let all = (1..=extent + output * s).filter(gives).nth(extra as usize);
            all.map(|n| vec![n as f64]).ok_or(Failure::Error("no such size".into()))
        },
    )
    .line(
        r"\min\Bigl\{\, N : O - 1 \le \frac{N + P - E}{S} < O \,\Bigr\} + P'",
        r"a floor is $O - 1$ from there to below $O$; all these $N$ follow one another",
        |case| {
            let [output, extent, s, padding, extra] = drawn(case);
            let within = |n: &i64| {
                let quotient = (n + padding - extent) as f64 / s as f64;
                (output - 1) as f64 <= quotient && quotient < output as f64
            };
            let least = (1..=extent + output * s).find(within);
            least.map(|n| vec![(n + extra) as f64]).ok_or(Failure::Error("no such size".into()))
        },
    )
    .line(r"(O - 1)\, S + E - P + P'", r"the left of the two inequalities, solved for $N$", |case| {
        let [output, _, _, padding, extra] = drawn(case);
        let window = window_of(case).padded_by(0, padding as usize);
        Ok(vec![window.transposed_output(output as usize, extra as usize)? as f64])
    })
}

/// The gradients of a convolution in its elements and in its weights.
fn gradients() -> Derivation {
    /// The window, x, w and ȳ of one row and one channel.
    struct Row {
        window: Window,
        x: Vec<f64>,
        w: Vec<f64>,
        dy: Vec<f64>,
    }
    impl Row {
        fn of(case: &Case<'_>) -> Result<Self, Failure> {
            let (x, before) = (case.array("x").data.clone(), case.size("before"));
            // At least as much padding as it takes for one window.
            let extent = window_of(case).extent()?;
            let after = case.size("after").max(extent.saturating_sub(x.len() + before));
            let window = window_of(case).padded_by(before, after);
            // Of the drawn numbers one for each output.
            let dy = case.array("dy").data[..window.output(x.len())?].to_vec();
            Ok(Self { window, x, w: case.array("w").data.clone(), dy })
        }

        /// The element below a tap, if it is none of the padding.
        fn below(&self, output: usize, tap: usize) -> Option<usize> {
            let at = output * self.window.stride + tap * self.window.dilation;
            at.checked_sub(self.window.padding[0]).filter(|&at| at < self.x.len())
        }

        fn y(&self, x: &[f64], w: &[f64], output: usize) -> f64 {
            (0..w.len()).filter_map(|tap| Some(w[tap] * x[self.below(output, tap)?])).sum()
        }

        fn loss(&self, x: &[f64], w: &[f64]) -> f64 {
            self.dy.iter().enumerate().map(|(output, dy)| dy * self.y(x, w, output)).sum()
        }
    }
    /// Differences over two points: exact for a function that is linear in each number, whatever the step.
    fn slopes(at: &[f64], f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
        let moved = |i: usize, step: f64| {
            let mut there = at.to_vec();
            there[i] += step;
            f(&there)
        };
        (0..at.len()).map(|i| moved(i, 0.5) - moved(i, -0.5)).collect()
    }
    Derivation::new(
        "conv-backward.derivation",
        &["conv-backward", "conv-forward"],
        "The gradients of a convolution",
    )
    .draw(Draw::size("n", 1..=6).limited(1.0..=6.0))
    .draw(Draw::size("size", 1..=3).limited(1.0..=3.0))
    .draw(Draw::size("stride", 1..=2).limited(1.0..=6.0))
    .draw(Draw::size("dilation", 1..=2).limited(1.0..=3.0))
    .draw(Draw::size("before", 0..=2).limited(0.0..=2.0))
    .draw(Draw::size("after", 0..=2).limited(0.0..=2.0))
    .draw(Draw::array("x", -3.0..=3.0, &["n"]).limited(-100.0..=100.0))
    .draw(Draw::array("w", -3.0..=3.0, &["size"]).limited(-100.0..=100.0))
    .draw(Draw::array("dy", -3.0..=3.0, &["10"]).limited(-100.0..=100.0))
    .within("rounding", 3e-14)
    .line(
        r"\frac{\partial L}{\partial x_p},\; \frac{\partial L}{\partial w_u}, \qquad
                L = \sum_t \bar y_t\, y_t, \quad y_t = \sum_u w_u\, x_{tS + uD - P}",
        r"what is wanted, for one row; differences, which are exact for what is linear",
        |case| {
            let row = Row::of(case)?;
            let mut all = slopes(&row.x, |x| row.loss(x, &row.w));
            all.extend(slopes(&row.w, |w| row.loss(&row.x, w)));
            Ok(all)
        },
    )
    .line(
        r"\sum_t \bar y_t\, \frac{\partial y_t}{\partial x_p},\; \sum_t \bar y_t\, \frac{\partial
                y_t}{\partial w_u}",
        "the chain rule, over all outputs; each output’s slopes by differences",
        |case| {
            let row = Row::of(case)?;
            let mut all = vec![0.0; row.x.len() + row.w.len()];
            for (t, dy) in row.dy.iter().enumerate() {
                let mut inner = slopes(&row.x, |x| row.y(x, &row.w, t));
                inner.extend(slopes(&row.w, |w| row.y(&row.x, w, t)));
                all.iter_mut().zip(inner).for_each(|(sum, slope)| *sum += dy * slope);
            }
            Ok(all)
        },
    )
    .line(
        r"\sum_{t, u \,:\, tS + uD - P = p} w_u\, \bar y_t,\; \sum_t x_{tS + uD - P}\, \bar y_t",
        r"$x_p$ meets $w_u$ for $y_t$ where $tS + uD - P = p$: all triples, once",
        |case| {
            let row = Row::of(case)?;
            let (mut dx, mut dw) = (vec![0.0; row.x.len()], vec![0.0; row.w.len()]);
            for (t, dy) in row.dy.iter().enumerate() {
                for (u, w) in row.w.iter().enumerate() {
                    if let Some(p) = row.below(t, u) {
                        dx[p] += w * dy;
                        dw[u] += row.x[p] * dy;
                    }
                }
            }
            Ok([dx, dw].concat())
        },
    )
    .line(
        r"\frac{\partial L}{\partial x},\; \frac{\partial L}{\partial w}",
        "what the library gives for an image of one row and one channel",
        |case| {
            let row = Row::of(case)?;
            let image = |v: &[f64]| Tensor::from_vec(v.to_vec(), [1, 1, 1, v.len()]);
            let (x, w, dy) = (image(&row.x)?, image(&row.w)?, image(&row.dy)?);
            let op = Convolution::new([Window::new(1), row.window]);
            let [dx, dw] = op.vjp([&x, &w], &(), &dy, [true, true])?;
            let all = dx.into_iter().chain(dw).flat_map(Tensor::into_vec);
            Ok(all.collect())
        },
    )
}
