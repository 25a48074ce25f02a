//! The table of costs: counted on the operations themselves, paths from the patterns of real Jacobians.

use super::normal;
use super::positions::along;
use crate::{
    Attention, Cost, Mask, MultiHead, Reach, convolutional_cost, dependence, path_length, recurrent_cost,
    restricted_cost, self_attention_cost,
};
use gradus_activations::Activations;
use gradus_autograd::{Parameters, Var};
use gradus_cnn::{ConvShape, Window};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_lstm::{Lstm, LstmShape};
use gradus_tensor::{Result, Tensor, rng};

const ATTENTION: &[&str] = &["complexity-self-attention"];
const RECURRENT: &[&str] = &["complexity-recurrent"];
const CONVOLUTION: &[&str] = &["complexity-convolutional"];
const RESTRICTED: &[&str] = &["complexity-restricted"];

pub(super) fn properties() -> Vec<Property> {
    let mut all = attention();
    all.extend(recurrent());
    all.extend(convolutional());
    all.extend(restricted());
    all.extend(crossing());
    all
}

fn drawn(id: &'static str, formulas: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formulas, statement)
        .draw(Draw::size("n", 2..=12).limited(2.0..=40.0))
        .draw(Draw::size("d", 1..=4).limited(1.0..=8.0))
        .draw(Draw::seed("values"))
}

/// The multiplications of attention under a mask, counted pair by pair: d for the score, d for the value.
fn counted(n: usize, d: usize, mask: &Mask<f64>) -> Result<u64> {
    let rules = mask.rules([1, 1, n, n])?;
    let pairs = (0..n * n).filter(|i| !rules.hides([0, 0, i / n], i % n)).count();
    Ok((pairs * 2 * d) as u64)
}

/// n·d², which a machine of 32 bits could not count.
fn square(n: usize, d: usize) -> u64 {
    n as u64 * d as u64 * d as u64
}

/// How many layers, each as `f` makes it, it takes from the first position to the last, by their Jacobians.
fn layers<F: Fn(&Var<f64>) -> Result<Var<f64>>>(
    x: &Tensor<f64>,
    f: impl Fn(usize) -> Result<F>,
) -> Result<Option<usize>> {
    let all: Vec<_> = (0..x.dims()[0]).map(|layer| dependence(x, f(layer)?)).collect::<Result<_>>()?;
    path_length(&mut all.into_iter())
}

fn attention() -> Vec<Property> {
    vec![
        drawn(
            "complexity-self-attention.counted",
            ATTENTION,
            "counted pair by pair it is 2n²d; twice the length is four times as much, twice the width twice",
        )
        .holds(|case| {
            let (n, d) = (case.size("n"), case.size("d"));
            let of = |n, d| self_attention_cost(n, d).multiplications;
            Ok::<_, Failure>(
                of(n, d) == counted(n, d, &Mask::default())?
                    && of(2 * n, d) == 4 * of(n, d)
                    && of(n, 2 * d) == 2 * of(n, d),
            )
        }),
        drawn(
            "complexity-self-attention.path",
            ATTENTION,
            "one layer takes any position to any other: no number of its Jacobian's pattern is 0",
        )
        .holds(|case| {
            let x = normal(case, 0, &[case.size("n"), case.size("d")])?;
            let attend = |x: &Var<f64>| Var::apply(Attention::new(1, Mask::default()), [x, x, x]);
            let seen = dependence(&x, attend)?;
            let path = layers(&x, |_| Ok(attend))?;
            let cost = self_attention_cost(x.dims()[0], x.dims()[1]);
            Ok::<_, Failure>(seen.as_slice().iter().all(|&sees| sees) && path == Some(cost.path))
        }),
        drawn(
            "complexity-self-attention.projections",
            ATTENTION,
            "the projections of all heads are 4nd² more, and the number of heads costs nothing",
        )
        .draw(Draw::size("heads", 1..=4).limited(1.0..=8.0))
        .holds(|case| {
            let (n, heads) = (case.size("n"), case.size("heads"));
            let d = heads * case.size("d");
            let layer = MultiHead::<f64>::new(d, heads, &mut rng(1))?;
            let weights = layer.input.weight.shape().elements() + layer.output.weight.shape().elements();
            // Each weight is used once a position; each head works on d/heads numbers.
            let core = heads as u64 * self_attention_cost(n, d / heads).multiplications;
            Ok::<_, Failure>(
                n * weights == 4 * n * d * d && core == self_attention_cost(n, d).multiplications,
            )
        }),
    ]
}

/// One step of a plain recurrence, of all states at once: each from the state before it and its own input.
fn steps(w: &Tensor<f64>) -> impl Fn(&Var<f64>) -> Result<Var<f64>> {
    let w = Var::constant(w.clone());
    move |h: &Var<f64>| {
        let (n, d) = (h.shape().dims()[0], h.shape().dims()[1]);
        let before = Var::concatenate(&[&Var::constant(Tensor::zeros([1, d])?), &h.slice(0, 0..n - 1)?], 0)?;
        before.matmul(&w)?.tanh()
    }
}

fn recurrent() -> Vec<Property> {
    vec![
        drawn("complexity-recurrent.counted", RECURRENT, "two matrices of d² are used at each of n steps; an LSTM has four times their weights")
            .holds(|case| {
                let (n, d) = (case.size("n"), case.size("d"));
                let of = |n, d| recurrent_cost(n, d).multiplications;
                let lstm = Lstm::<f64>::new(LstmShape::new(d, d), &mut rng(1))?;
                let matrices = lstm.parameter_count() - 4 * d; // without the biases
                Ok::<_, Failure>(4 * of(n, d) == (n * matrices) as u64
                    && of(2 * n, d) == 2 * of(n, d)
                    && of(n, 2 * d) == 4 * of(n, d))
            }),
        drawn("complexity-recurrent.path", RECURRENT, "a step takes a position to the next one only: n − 1 of them from the first to the last")
            .holds(|case| {
                let (n, d) = (case.size("n"), case.size("d"));
                let (x, w) = (normal(case, 0, &[n, d])?, normal(case, 1, &[d, d])?);
                Ok::<_, Failure>(layers(&x, |_| Ok(steps(&w)))? == Some(recurrent_cost(n, d).path))
            }),
        drawn("complexity-recurrent.steps", RECURRENT, "each step waits for the one before: the longest chain of an LSTM's graph is its n steps, that of attention is one")
            .holds(|case| {
                let (n, d) = (case.size("n"), case.size("d"));
                let w = normal(case, 1, &[d, d])?;
                // h after t steps depends on the t states before: powers of the pattern of one step.
                let one = dependence(&normal(case, 0, &[n, d])?, steps(&w))?;
                let chain = (0..n).try_fold((one.clone(), 1), |(reach, count), _| {
                    let next = Tensor::from_fn([n, n], |at| {
                        (0..n).any(|k| {
                            reach.get([at[0], k]).unwrap_or(false) && one.get([k, at[1]]).unwrap_or(false)
                        })
                    })?;
                    let alive = next.as_slice().contains(&true);
                    Ok::<_, Failure>(if alive { (next, count + 1) } else { (next, count) })
                })?;
                let cost: Cost = recurrent_cost(n, d);
                Ok::<_, Failure>(chain.1 + 1 == cost.steps && self_attention_cost(n, d).steps == 1)
            }),
    ]
}

fn convolutional() -> Vec<Property> {
    let kernels = |property: Property| property.draw(Draw::size("kernel", 2..=4).limited(2.0..=6.0));
    /// The path by Jacobians; a centred kernel is made odd.
    fn path(case: &Case<'_>, reach: Reach) -> Result<(Option<usize>, usize), Failure> {
        let (n, d) = (case.size("n"), case.size("d"));
        let kernel = if reach == Reach::Centred { case.size("kernel") | 1 } else { case.size("kernel") };
        let (x, w) = (normal(case, 0, &[n, d])?, normal(case, 1, &[d, d, kernel])?);
        let found = layers(&x, |layer| {
            let dilation = if reach == Reach::Dilated { kernel.pow(layer.min(12) as u32).min(n) } else { 1 };
            let convolve = along(&w, dilation, reach != Reach::Centred)?;
            Ok(move |x: &Var<f64>| convolve(&x.insert_axis(0)?)?.remove_axis(0))
        })?;
        Ok((found, convolutional_cost(n, d, kernel, reach)?.path))
    }
    let agree = |reach: Reach| {
        move |case: &mut Case<'_>| {
            let (found, path) = path(case, reach)?;
            Ok::<_, Failure>(found == Some(path))
        }
    };
    vec![
        kernels(drawn("complexity-convolutional.counted", CONVOLUTION, "it is what the layer itself counts: knd²; one kernel a channel and one of 1 after it cost knd + nd²"))
            .holds(|case| {
                let (n, d, kernel) = (case.size("n"), case.size("d"), case.size("kernel"));
                let window = [Window::new(kernel).padded_by(kernel - 1, 0)];
                let count = |shape: ConvShape<1>| {
                    let shape = shape.counts(1, [n]).map_err(|error| Failure::Error(error.to_string()))?;
                    Ok::<_, Failure>(shape.multiplications)
                };
                let cost = convolutional_cost(n, d, kernel, Reach::Causal)?;
                let separable = count(ConvShape::depthwise(d, window))? + count(ConvShape::pointwise(d, d))?;
                Ok(cost.multiplications == count(ConvShape::new(d, d, window))?
                    && separable == (kernel * n * d + n * d * d) as u64)
            }),
        kernels(drawn("complexity-convolutional.causal", CONVOLUTION, "contiguous kernels reach k − 1 further with each layer, by the Jacobians of real ones")).costly(4)
            .holds(agree(Reach::Causal)),
        kernels(drawn("complexity-convolutional.centred", CONVOLUTION, "around each position they reach half as far")).costly(4).holds(agree(Reach::Centred)),
        kernels(drawn("complexity-convolutional.dilated", CONVOLUTION, "spread by 1, k, k², … they reach k times as far with each layer")).costly(4).holds(agree(Reach::Dilated)),
        Property::refutation("complexity-convolutional.printed", CONVOLUTION, "a stack of convolutions, kernel by kernel, needs log_k n layers")
            .within("layers", 0.0)
            .check(|_| {
                // k = 3 and n = 9 positions: log₃ 9 is 2, and two layers reach 4 back.
                let (x, w) = (Tensor::from_fn([9, 1], |at| at[0] as f64)?, Tensor::ones([1, 1, 3])?);
                let found = layers(&x, |_| {
                    let convolve = along(&w, 1, true)?;
                    Ok(move |x: &Var<f64>| convolve(&x.insert_axis(0)?)?.remove_axis(0))
                })?;
                Ok::<_, Failure>(found.map_or(f64::INFINITY, |layers| layers as f64 - 2.0))
            }),
    ]
}

fn restricted() -> Vec<Property> {
    let windows = |property: Property| property.draw(Draw::size("window", 1..=5).limited(1.0..=40.0));
    vec![
        windows(drawn("complexity-restricted.counted", RESTRICTED, "counted pair by pair it is 2rnd less what the ends lack; with a window as wide as the sequence it is self-attention"))
            .holds(|case| {
                let (n, d, window) = (case.size("n"), case.size("d"), case.size("window"));
                let own = restricted_cost(n, d, window)?.multiplications;
                let r = (2 * window + 1) as u64;
                case.classify(window >= n, "a window wider than the sequence");
                Ok::<_, Failure>(own == counted(n, d, &Mask::default().window(window))?
                    && own <= 2 * r * (n * d) as u64
                    && restricted_cost(n, d, n)?.multiplications == self_attention_cost(n, d).multiplications)
            }),
        windows(drawn("complexity-restricted.path", RESTRICTED, "a layer reaches a window further, by the Jacobians of real ones"))
            .holds(|case| {
                let (n, d, window) = (case.size("n"), case.size("d"), case.size("window"));
                let x = normal(case, 0, &[n, d])?;
                let found = layers(&x, |_| {
                    Ok(move |x: &Var<f64>| Var::apply(Attention::new(1, Mask::default().window(window)), [x, x, x]))
                })?;
                Ok::<_, Failure>(found == Some(restricted_cost(n, d, window)?.path))
            }),
        windows(drawn("complexity-restricted.length", RESTRICTED, "one more position costs 2rd more, however long the sequence is"))
            .holds(|case| {
                let (d, window) = (case.size("d"), case.size("window"));
                let n = case.size("n") + 2 * window;
                let of = |n| Ok::<_, Failure>(restricted_cost(n, d, window)?.multiplications);
                Ok(of(n + 1)? - of(n)? == (2 * (2 * window + 1) * d) as u64)
            }),
    ]
}

fn crossing() -> Vec<Property> {
    const CLAIM: &[&str] = &["complexity-n-lt-d"];
    vec![
        Property::new("complexity-n-lt-d.crossing", CLAIM, "with its projections self-attention costs less than an LSTM exactly if n < 2d, and as much at n = 2d")
            .draw(Draw::size("n", 1..=3000).limited(1.0..=1e6))
            .draw(Draw::size("d", 1..=1500).limited(1.0..=1e5))
            .holds(|case| {
                let (n, d) = (case.size("n"), case.size("d"));
                let attention = |n: usize| self_attention_cost(n, d).multiplications + 4 * square(n, d);
                let lstm = |n: usize| 4 * recurrent_cost(n, d).multiplications;
                case.classify(n < 2 * d && n >= d, "between d and 2d");
                Ok::<_, Failure>((attention(n) < lstm(n)) == (n < 2 * d) && attention(2 * d) == lstm(2 * d))
            }),
        Property::refutation("complexity-n-lt-d.printed", CLAIM, "self-attention is the cheaper one only where the length is smaller than the width")
            .within("multiplications", 0.0)
            .check(|_| {
                let (n, d) = (768, 512);
                let attention = self_attention_cost(n, d).multiplications + 4 * square(n, d);
                let lstm = 4 * recurrent_cost(n, d).multiplications;
                // n > d, and yet less is saved than nothing only if the claim were right.
                Ok::<_, Failure>(lstm.saturating_sub(attention) as f64)
            }),
    ]
}
