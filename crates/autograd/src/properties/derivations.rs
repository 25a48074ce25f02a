//! The derivation of the chapter, line by line: a small network, from its paths to its graph.

use crate::Var;
use gradus_formula::{Case, Derivation, Draw, Failure, Property, slopes};
use gradus_tensor::{Tensor, tensor_of};

pub(super) fn properties() -> Vec<Property> {
    vec![two_layers().property()]
}

/// How far apart the points are over which differences are taken.
const H: f64 = 5e-4;

/// A network of two layers on one sample: L = ½‖tanh(xV)·W − t‖².
struct Network<'a> {
    x: &'a [f64],
    v: &'a [f64],
    w: Vec<&'a [f64]>,
    t: &'a [f64],
}

impl<'a> Network<'a> {
    fn of(case: &Case<'a>) -> Self {
        let data = |name: &str| &case.array(name).data[..];
        let w = data("w").chunks(case.size("k")).collect();
        Self { x: data("x"), v: data("v"), w, t: data("t") }
    }

    /// The sums of the hidden units, for these first weights.
    fn sums(&self, v: &[f64]) -> Vec<f64> {
        let hidden = self.w.len();
        (0..hidden).map(|j| self.x.iter().enumerate().map(|(i, x)| x * v[i * hidden + j]).sum()).collect()
    }

    /// y − t, for these outputs of the hidden units.
    fn errors(&self, a: &[f64]) -> Vec<f64> {
        let y = |k: usize| a.iter().zip(&self.w).map(|(a, w)| a * w[k]).sum::<f64>();
        self.t.iter().enumerate().map(|(k, t)| y(k) - t).collect()
    }

    fn loss(&self, a: &[f64]) -> f64 {
        0.5 * self.errors(a).iter().map(|e| e * e).sum::<f64>()
    }

    /// One number for each first weight, row by row.
    fn each(&self, f: impl Fn(usize, usize) -> f64) -> Vec<f64> {
        let hidden = self.w.len();
        (0..self.x.len() * hidden).map(|at| f(at / hidden, at % hidden)).collect()
    }
}

fn tanh(z: &[f64]) -> Vec<f64> {
    z.iter().map(|z| z.tanh()).collect()
}

/// The gradient in the first weights of two layers.
fn two_layers() -> Derivation {
    Derivation::new(
        "backprop-chain-rule.derivation",
        &["backprop-chain-rule"],
        "The gradient in the first weights of two layers",
    )
    .draw(Draw::size("d", 1..=2).limited(1.0..=6.0))
    .draw(Draw::size("h", 1..=3).limited(1.0..=6.0))
    .draw(Draw::size("k", 1..=2).limited(1.0..=6.0))
    .draw(Draw::array("x", -2.0..=2.0, &["d"]).limited(-3.0..=3.0))
    .draw(Draw::array("v", -1.0..=1.0, &["d", "h"]).limited(-3.0..=3.0))
    .draw(Draw::array("w", -2.0..=2.0, &["h", "k"]).limited(-3.0..=3.0))
    .draw(Draw::array("t", -2.0..=2.0, &["k"]).limited(-3.0..=3.0))
    .line(
        r"\frac{\partial L}{\partial V_{ij}}, \qquad L = \tfrac12 \sum_k (y_k - t_k)^2, \quad
            y = a W, \quad a = \tanh z, \quad z = x V",
        r"what is wanted, for all $i$ and $j$; computed by differences over five points",
        |case| {
            let net = Network::of(case);
            Ok(slopes(net.v, H, |v| net.loss(&tanh(&net.sums(v)))))
        },
    )
    .within("five-point differences", 1e-10)
    .line(
        r"\bar a_j\; \frac{\partial a_j}{\partial z_j}\; \frac{\partial z_j}{\partial V_{ij}},
            \qquad \bar a_j = \frac{\partial L}{\partial a_j}",
        r"$V_{ij}$ has one user, $z_j$, and $z_j$ has one, $a_j$; the slopes by differences still",
        |case| {
            let net = Network::of(case);
            let z = net.sums(net.v);
            let by_a = slopes(&tanh(&z), H, |a| net.loss(a));
            let squash: Vec<f64> = z.iter().map(|&z| slopes(&[z], H, |z| z[0].tanh())[0]).collect();
            Ok(net.each(|i, j| by_a[j] * squash[j] * net.x[i]))
        },
    )
    .line(
        r"\sum_k \bar y_k\, W_{jk}\, (1 - a_j^2)\, x_i, \qquad \bar y_k = y_k - t_k",
        r"$a_j$ has a user for every $k$: a path leads through each, and the paths are added",
        |case| {
            let net = Network::of(case);
            let a = tanh(&net.sums(net.v));
            let errors = net.errors(&a);
            let path = |j: usize, k: usize| errors[k] * net.w[j][k] * (1.0 - a[j] * a[j]);
            Ok(net.each(|i, j| (0..errors.len()).map(|k| path(j, k) * net.x[i]).sum()))
        },
    )
    .within("rounding", 1e-14)
    .line(
        r"x_i\, \bar z_j, \qquad \bar z_j = \bar a_j\, (1 - a_j^2), \quad \bar a_j = \sum_k \bar y_k\,
            W_{jk}",
        "what the paths have in common is computed once, from the loss on",
        |case| {
            let net = Network::of(case);
            let a = tanh(&net.sums(net.v));
            let errors = net.errors(&a);
            let by_a = net.w.iter().map(|w| w.iter().zip(&errors).map(|(w, e)| w * e).sum::<f64>());
            let by_z: Vec<f64> = by_a.zip(&a).map(|(by_a, a)| by_a * (1.0 - a * a)).collect();
            Ok(net.each(|i, j| net.x[i] * by_z[j]))
        },
    )
    .line(
        r"x^\top \bigl( (\bar y\, W^\top) \circ (1 - a^2) \bigr)",
        "all $i$ and $j$ at once; that is what the graph does",
        |case| {
            let row = |name: &str| {
                let data = &case.array(name).data;
                Tensor::from_vec(data.clone(), [1, data.len()])
            };
            let (x, t) = (Var::constant(row("x")?), Var::constant(row("t")?));
            let v = Var::parameter(tensor_of(case.array("v"))?);
            let w = Var::constant(tensor_of(case.array("w"))?);
            let z = x.matmul(&v)?;
            // tanh z = 1 − 2/(e²ᶻ + 1), of operations that a graph has without any layers.
            let one = Var::constant(Tensor::scalar(1.0));
            let a = one.sub(&one.scale(2.0)?.div(&z.scale(2.0)?.exp()?.add(&one)?)?)?;
            let error = a.matmul(&w)?.sub(&t)?;
            let loss = error.mul(&error)?.sum()?.scale(0.5)?;
            let gradient = loss.backward()?.take(&v).ok_or(Failure::Error("no gradient in V".into()))?;
            Ok(gradient.into_vec())
        },
    )
}
