//! The derivations of the chapters, line by line: the product of a plain recurrence, a step back, and the
//! ways from the last cell to the first.

use crate::{Recurrence, Unit, bptt_step, cell_path, rnn_jacobian};
use gradus_activations::sigmoid;
use gradus_autograd::Op;
use gradus_formula::{Case, Derivation, Draw, Failure, Property, slope};
use gradus_tensor::{Tensor, tensor_of};

pub(super) fn properties() -> Vec<Property> {
    [plain_recurrence(), step_back(), all_paths(), one_path()].iter().map(Derivation::property).collect()
}

/// How far apart the points are over which differences are taken.
const H: f64 = 5e-4;

/// The Jacobian of f, a column a number of its input, by differences over five points.
fn jacobian(at: &[f64], f: impl Fn(&[f64]) -> Vec<f64>) -> Vec<Vec<f64>> {
    let moved = |j: usize, steps: f64| {
        let mut there = at.to_vec();
        there[j] += steps * H;
        f(&there)
    };
    let mut rows = vec![Vec::new(); f(at).len()];
    for j in 0..at.len() {
        let [left2, left, right, right2] = [-2.0, -1.0, 1.0, 2.0].map(|steps| moved(j, steps));
        for (i, row) in rows.iter_mut().enumerate() {
            row.push((8.0 * (right[i] - left[i]) - (right2[i] - left2[i])) / (12.0 * H));
        }
    }
    rows
}

fn product(a: &[Vec<f64>], b: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let entry = |row: &[f64], j: usize| row.iter().zip(b).map(|(x, b)| x * b[j]).sum();
    a.iter().map(|row| (0..b[0].len()).map(|j| entry(row, j)).collect()).collect()
}

/// A plain recurrence with drawn weights: what comes from the inputs is drawn as it is.
struct Plain<'a> {
    drive: Vec<&'a [f64]>,
    u: &'a [f64],
    start: &'a [f64],
}

impl<'a> Plain<'a> {
    fn of(case: &Case<'a>) -> Self {
        let drive = case.array("drive").data.chunks(case.size("h")).collect();
        Self { drive, u: &case.array("u").data, start: &case.array("start").data }
    }

    /// The sums of a step.
    fn sums(&self, t: usize, before: &[f64]) -> Vec<f64> {
        let n = before.len();
        let heard = |i: usize| (0..n).map(|j| before[j] * self.u[j * n + i]).sum::<f64>();
        (0..n).map(|i| self.drive[t][i] + heard(i)).collect()
    }

    fn step(&self, t: usize, before: &[f64]) -> Vec<f64> {
        self.sums(t, before).iter().map(|z| z.tanh()).collect()
    }

    /// h₀, h₁, …, h_T.
    fn states(&self) -> Vec<Vec<f64>> {
        let mut states = vec![self.start.to_vec()];
        for t in 0..self.drive.len() {
            states.push(self.step(t, &states[t]));
        }
        states
    }

    /// The product of the steps' Jacobians, the last one leftmost.
    fn chained(&self, of_step: impl Fn(usize, &[f64]) -> Vec<Vec<f64>>) -> Vec<f64> {
        let states = self.states();
        let all = (0..self.drive.len()).map(|t| of_step(t, &states[t]));
        all.reduce(|before, step| product(&step, &before)).unwrap_or_default().concat()
    }
}

/// The last output's slopes in the first, for a plain recurrence.
fn plain_recurrence() -> Derivation {
    Derivation::new("rnn-gradient.derivation", &["rnn-gradient", "rnn-step"], "The gradient of a recurrence")
        .draw(Draw::size("h", 1..=3).limited(1.0..=6.0))
        .draw(Draw::size("t", 1..=3).limited(1.0..=8.0))
        .draw(Draw::array("u", -1.0..=1.0, &["h", "h"]).limited(-1.0..=1.0))
        .draw(Draw::array("drive", -1.0..=1.0, &["t", "h"]).limited(-3.0..=3.0))
        .draw(Draw::array("start", -0.9..=0.9, &["h"]).limited(-1.0..=1.0))
        .line(
            r"\frac{\partial h_{T,i}}{\partial h_{0,j}}, \qquad h_t = \tanh z_t, \quad z_t = x_t W + h_{t-1}
                U + b",
            "what is wanted, for all $i$ and $j$; computed by differences over five points",
            |case| {
                let plain = Plain::of(case);
                let last = |h: &[f64]| (0..plain.drive.len()).fold(h.to_vec(), |h, t| plain.step(t, &h));
                Ok(jacobian(plain.start, last).concat())
            },
        )
        .within("five-point differences", 2e-11)
        .line(
            r"\frac{\partial h_T}{\partial h_{T-1}} \cdots \frac{\partial h_2}{\partial h_1}\,
                \frac{\partial h_1}{\partial h_0}",
            "the chain rule: the way leads through every step; each factor by differences of its own",
            |case| {
                let plain = Plain::of(case);
                Ok(plain.chained(|t, before| jacobian(before, |h| plain.step(t, h))))
            },
        )
        .line(
            r"J_T \cdots J_2\, J_1, \qquad (J_t)_{ij} = \tanh'(z_{t,i})\, U_{ji}",
            "unit $i$ hears unit $j$ of the step before through one weight, and squashes what it hears",
            |case| {
                let (plain, n) = (Plain::of(case), case.size("h"));
                Ok(plain.chained(|t, before| {
                    let row = |(i, z): (usize, &f64)| {
                        (0..n).map(|j| plain.u[j * n + i] / z.cosh().powi(2)).collect()
                    };
                    plain.sums(t, before).iter().enumerate().map(row).collect()
                }))
            },
        )
        .within("rounding", 5e-15)
        .line(
            r"\prod_{t=T}^{1} \operatorname{diag}(1 - h_t^2)\, U^\top",
            r"$\tanh' z = 1 - \tanh^2 z$, and $U_{ji}$ is entry $(i, j)$ of $U^\top$",
            |case| {
                let (plain, n) = (Plain::of(case), case.size("h"));
                let outputs = Tensor::from_vec(plain.states()[1..].concat(), [case.size("t"), n])?;
                Ok(rnn_jacobian(&outputs, &tensor_of(case.array("u"))?)?.into_vec())
            },
        )
}

/// A step of one unit: the gates i, f, g, o from their sums, the cell, the output.
fn step(sums: [f64; 4], cell: f64) -> ([f64; 4], f64, f64) {
    let [i, f, g, o] = [sigmoid(sums[0]), sigmoid(sums[1]), sums[2].tanh(), sigmoid(sums[3])];
    let after = f * cell + i * g;
    ([i, f, g, o], after, o * after.tanh())
}

/// One step back, for one unit.
fn step_back() -> Derivation {
    /// The four sums and the cell before; δh, and what the next step gives to the cell.
    fn drawn(case: &Case<'_>) -> ([f64; 5], [f64; 2]) {
        let z = &case.array("z").data;
        ([z[0], z[1], z[2], z[3], case.real("before")], [case.real("dh"), case.real("later")])
    }
    /// σ′ three times and tanh′, in the order i, f, g, o, by their definitions.
    fn squashing(z: &[f64; 5]) -> [f64; 4] {
        let s = |z: f64| (-z).exp() / (1.0 + (-z).exp()).powi(2);
        [s(z[0]), s(z[1]), z[2].cosh().powi(-2), s(z[3])]
    }
    Derivation::new("lstm-bptt.derivation", &["lstm-bptt"], "One step back, for one unit")
        .draw(Draw::array("z", -3.0..=3.0, &["4"]).limited(-10.0..=10.0))
        .draw(Draw::real("before", -3.0..=3.0).limited(-10.0..=10.0))
        .draw(Draw::real("dh", -2.0..=2.0).limited(-10.0..=10.0))
        .draw(Draw::real("later", -2.0..=2.0).limited(-10.0..=10.0))
        .line(
            r"\frac{\partial}{\partial (z^i, z^f, z^g, z^o, C_{t-1})}\, 
                \bigl( \delta h_t\, h_t + \lambda\, C_t \bigr), \qquad \lambda = f_{t+1}\, \delta C_{t+1}",
            r"what is wanted; $\lambda$ is what the next step gives to the cell; by five-point differences",
            |case| {
                let (at, [dh, later]) = drawn(case);
                let loss = |v: &[f64]| {
                    let (_, after, h) = step([v[0], v[1], v[2], v[3]], v[4]);
                    vec![dh * h + later * after]
                };
                Ok(jacobian(&at, loss).concat())
            },
        )
        .within("five-point differences", 1e-11)
        .line(
            r"\frac{\partial L}{\partial i} \sigma'(z^i),\; \frac{\partial L}{\partial f} \sigma'(z^f),\;
                \frac{\partial L}{\partial g} \tanh'(z^g),\; \frac{\partial L}{\partial o} \sigma'(z^o),\;
                \frac{\partial L}{\partial C_{t-1}}",
            "each sum has one user, its gate",
            |case| {
                let (at, [dh, later]) = drawn(case);
                let ([i, f, g, o], ..) = step([at[0], at[1], at[2], at[3]], at[4]);
                let loss = |v: &[f64]| {
                    let after = v[1] * v[4] + v[0] * v[2];
                    vec![dh * v[3] * after.tanh() + later * after]
                };
                let slopes = jacobian(&[i, f, g, o, at[4]], loss).concat();
                let squashing = squashing(&at);
                Ok((0..5).map(|k| slopes[k] * squashing.get(k).unwrap_or(&1.0)).collect())
            },
        )
        .line(
            r"\delta C_t\, g\, \sigma'(z^i),\; \delta C_t\, C_{t-1}\, \sigma'(z^f),\; 
                \delta C_t\, i \tanh'(z^g),\; \delta h_t \tanh C_t\, \sigma'(z^o),\; \delta C_t\, f, \qquad
                \delta C_t = \delta h_t\, o \tanh'(C_t) + \lambda",
            r"$o$ is used by $h_t = o \tanh C_t$, all others by $C_t = f C_{t-1} + i g$, which has two users",
            |case| {
                let (at, [dh, later]) = drawn(case);
                let ([i, f, g, o], after, _) = step([at[0], at[1], at[2], at[3]], at[4]);
                let dc = dh * o / after.cosh().powi(2) + later;
                let [si, sf, tg, so] = squashing(&at);
                Ok(vec![dc * g * si, dc * at[4] * sf, dc * i * tg, dh * after.tanh() * so, dc * f])
            },
        )
        .within("rounding", 5e-15)
        .line(
            r"\delta C_t\, g\, i(1 - i),\; \delta C_t\, C_{t-1}\, f(1 - f),\; \delta C_t\, i\, (1 - g^2),\;
                \delta h_t \tanh C_t\, o(1 - o),\; \delta C_t\, f",
            r"$\sigma' = \sigma (1 - \sigma)$ and $\tanh' = 1 - \tanh^2$, from values that are there already",
            |case| {
                let (at, [dh, later]) = drawn(case);
                let (gates, after, _) = step([at[0], at[1], at[2], at[3]], at[4]);
                let back = bptt_step(Unit { gates, before: at[4], after, peepholes: [0.0; 3] }, dh, later);
                Ok(back.sums.into_iter().chain([back.before]).collect())
            },
        )
}

/// Two steps of one unit, whose inputs are drawn as what they add to the sums.
struct Two<'a> {
    drive: &'a [f64],
    u: &'a [f64],
    h0: f64,
    c0: f64,
}

/// What a step leaves: its gates, the cell, the output.
type Left = ([f64; 4], f64, f64);

impl<'a> Two<'a> {
    fn of(case: &Case<'a>) -> Self {
        let (drive, u) = (&case.array("drive").data, &case.array("u").data);
        Self { drive, u, h0: case.real("h0"), c0: case.real("c0") }
    }

    fn step(&self, t: usize, c: f64, h: f64) -> Left {
        step(std::array::from_fn(|k| self.drive[4 * t + k] + self.u[k] * h), c)
    }

    /// Both steps from this cell.
    fn from(&self, c0: f64) -> [Left; 2] {
        let first = self.step(0, c0, self.h0);
        [first, self.step(1, first.1, first.2)]
    }

    /// dC₂/dC₀, by differences.
    fn wanted(&self) -> f64 {
        slope(self.c0, H, |c| self.from(c)[1].1)
    }

    /// f, a, s and e of a step: the four numbers that its matrix is made of.
    fn factors(&self, ([i, f, g, o], after, _): Left, before: f64) -> [f64; 4] {
        let [ui, uf, ug, uo] = [self.u[0], self.u[1], self.u[2], self.u[3]];
        let a = uf * f * (1.0 - f) * before + ui * i * (1.0 - i) * g + ug * (1.0 - g * g) * i;
        let t = after.tanh();
        [f, a, o * (1.0 - t * t), uo * o * (1.0 - o) * t]
    }
}

fn two_steps(derivation: Derivation) -> Derivation {
    derivation
        .draw(Draw::array("drive", -2.0..=2.0, &["2", "4"]).limited(-5.0..=5.0))
        .draw(Draw::array("u", -2.0..=2.0, &["4"]).limited(-3.0..=3.0))
        .draw(Draw::real("h0", -0.9..=0.9).limited(-1.0..=1.0))
        .draw(Draw::real("c0", -2.0..=2.0).limited(-5.0..=5.0))
}

const WANTED: &str = r"\frac{dC_2}{dC_0}";

/// From the last cell to the first, by all paths.
fn all_paths() -> Derivation {
    two_steps(Derivation::new(
        "lstm-no-vanishing.derivation",
        &["lstm-no-vanishing"],
        "From the last cell to the first by all paths, for two steps of one unit",
    ))
    .line(WANTED, "what is wanted, by all paths; computed by differences over five points", |case| {
        Ok(vec![Two::of(case).wanted()])
    })
    .within("five-point differences", 1e-11)
    .line(
        r"f_2\, \frac{dC_1}{dC_0} + \frac{\partial C_2}{\partial h_1}\, \frac{dh_1}{dC_0}",
        r"two ways lead to step $2$: along the cell, and by the output, which the gates read",
        |case| {
            let two = Two::of(case);
            let [first, second] = two.from(two.c0);
            let cell = slope(two.c0, H, |c| two.from(c)[0].1);
            let output = slope(two.c0, H, |c| two.from(c)[0].2);
            let read = slope(first.2, H, |h| two.step(1, first.1, h).1);
            Ok(vec![second.0[1] * cell + read * output])
        },
    )
    .line(
        r"f_2\, f_1 + a_2\, s_1\, f_1, \qquad a_2 = u_f f_2 (1 - f_2)\, C_1 + u_i i_2 (1 - i_2)\, g_2
            + u_g (1 - g_2^2)\, i_2, \quad s_1 = o_1 (1 - \tanh^2 C_1)",
        r"$h_0$ is fixed, and with it the gates of step $1$: $dC_1 = f_1\, dC_0$, $dh_1 = s_1\, dC_1$",
        |case| {
            let two = Two::of(case);
            let [([_, f1, _, o1], c1, _), ([i, f2, g, _], ..)] = two.from(two.c0);
            let (ui, uf, ug) = (two.u[0], two.u[1], two.u[2]);
            let a = uf * f2 * (1.0 - f2) * c1 + ui * i * (1.0 - i) * g + ug * (1.0 - g * g) * i;
            Ok(vec![f2 * f1 + a * o1 * (1.0 - c1.tanh().powi(2)) * f1])
        },
    )
    .within("rounding", 3e-15)
    .line(
        r"\begin{pmatrix} 1 & 0 \end{pmatrix}
            \begin{pmatrix} f_2 & a_2 \\ s_2 f_2 & s_2 a_2 + e_2 \end{pmatrix}
            \begin{pmatrix} f_1 & a_1 \\ s_1 f_1 & s_1 a_1 + e_1 \end{pmatrix}
            \begin{pmatrix} 1 \\ 0 \end{pmatrix}",
        "the corner of a product of two matrices, one for each step",
        |case| {
            let two = Two::of(case);
            let [first, second] = two.from(two.c0);
            let matrix = |[f, a, s, e]: [f64; 4]| vec![vec![f, a], vec![s * f, s * a + e]];
            let after = matrix(two.factors(second, first.1));
            Ok(vec![product(&after, &matrix(two.factors(first, two.c0)))[0][0]])
        },
    )
    .line(
        r"\delta C_0 \quad\text{for}\quad \delta C_2 = 1,\; \delta h_2 = 0",
        "what comes back from the last cell, through the two steps of the library",
        |case| {
            let two = Two::of(case);
            let one = |v: f64| Tensor::from_vec(vec![v], [1, 1]);
            // Inputs of four numbers that go to one sum each.
            let x = tensor_of::<f64>(case.array("drive"))?.reshape([1, 2, 4])?;
            let (w, u) = (Tensor::eye(4)?, tensor_of::<f64>(case.array("u"))?.reshape([1, 4])?);
            let (h, c, b) = (one(two.h0)?, one(two.c0)?, Tensor::zeros([4])?);
            let op = Recurrence { states: true, ..Recurrence::default() };
            let inputs = [&x, &h, &c, &w, &u, &b];
            let (_, saved) = op.forward(inputs)?;
            // Two outputs, then the last h and the last C.
            let dy = Tensor::from_vec(vec![0.0, 0.0, 0.0, 1.0], [1, 4, 1])?;
            let [_, _, dc, ..] = op.vjp(inputs, &saved, &dy, [false, false, true, false, false, false])?;
            dc.map(Tensor::into_vec).ok_or(Failure::Error("no gradient in the cell".into()))
        },
    )
}

/// The same with the way through the output forgotten.
fn one_path() -> Derivation {
    two_steps(Derivation::new(
        "lstm-no-vanishing.derivation-slip",
        &["lstm-no-vanishing"],
        "A derivation with a wrong line: from the last cell to the first",
    ))
    .slip(3)
    .line(WANTED, "what is wanted; computed by differences over five points", |case| {
        Ok(vec![Two::of(case).wanted()])
    })
    .within("five-point differences", 1e-11)
    .line(r"\frac{d}{dC_0}\, \bigl( f_2\, C_1 + i_2\, g_2 \bigr)", "the last step’s update put in", |case| {
        let two = Two::of(case);
        Ok(vec![slope(two.c0, H, |c| {
            let [(_, c1, _), ([i, f, g, _], ..)] = two.from(c);
            f * c1 + i * g
        })])
    })
    .line(
        r"f_2\, \frac{dC_1}{dC_0}",
        r"a line in $C_1$ with the slope $f_2$; there is no $C_0$ in $i_2\, g_2$",
        |case| {
            let two = Two::of(case);
            Ok(vec![two.from(two.c0)[1].0[1] * slope(two.c0, H, |c| two.from(c)[0].1)])
        },
    )
    .line(r"f_2\, f_1", r"the same once more: $C_1 = f_1 C_0 + i_1 g_1$, with $h_0$ fixed", |case| {
        let two = Two::of(case);
        let [first, second] = two.from(two.c0);
        Ok(vec![second.0[1] * first.0[1]])
    })
    .line(r"\prod_{t=1}^{2} f_t", "the product of the forget gates", |case| {
        let two = Two::of(case);
        let forget = two.from(two.c0).map(|(gates, ..)| gates[1]);
        Ok(vec![cell_path(&Tensor::from_vec(forget.to_vec(), [2, 1])?)?.get([0, 0])?])
    })
}
