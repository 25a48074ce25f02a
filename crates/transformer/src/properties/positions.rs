//! Where things stand.

use super::{ROUNDING, normal, shuffled};
use crate::{Attention, Mask, Rotary, dependence, positional_encoding};
use gradus_autograd::{Layer, Mode, Op, Var, gradient_property};
use gradus_cnn::{Conv1d, ConvShape, Window};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Error, Result, Tensor};

pub(super) fn properties() -> Vec<Property> {
    let mut all = waves();
    all.extend(rotations());
    all.extend([convolution(), pattern()]);
    all
}

fn waves() -> Vec<Property> {
    const ID: &[&str] = &["positional-encoding"];
    let drawn = |id, statement| {
        Property::new(id, ID, statement)
            .draw(Draw::size("half", 1..=16).limited(1.0..=256.0))
            .draw(Draw::size("pos", 0..=500).limited(0.0..=5000.0))
            .draw(Draw::size("k", 0..=500).limited(0.0..=5000.0))
    };
    let rows = |case: &Case<'_>| -> Result<[Vec<f64>; 3]> {
        let (pos, k, d) = (case.size("pos"), case.size("k"), 2 * case.size("half"));
        let table = positional_encoding::<f64>(pos + k + 1, d)?;
        let row = |i: usize| table.select(0, i).map(Tensor::into_vec);
        Ok([row(pos)?, row(k)?, row(pos + k)?])
    };
    vec![
        drawn("positional-encoding.rotation", "k places further on, every pair of sine and cosine is turned by k·10000^(−2i/d), wherever it stood")
            .within("rounding of angles up to a thousand", 1e-10)
            .check(move |case| {
                let ([here, _, there], k, d) = (rows(case)?, case.size("k") as f64, 2 * case.size("half"));
                let mut off = 0.0f64;
                for i in 0..d / 2 {
                    let (sin, cos) = (k / 10_000f64.powf(2.0 * i as f64 / d as f64)).sin_cos();
                    let [s, c] = [here[2 * i], here[2 * i + 1]];
                    off = off.max((there[2 * i] - (s * cos + c * sin)).abs());
                    off = off.max((there[2 * i + 1] - (c * cos - s * sin)).abs());
                }
                Ok(off)
            }),
        drawn("positional-encoding.length", "every row has the length √(d/2)")
            .within("rounding", ROUNDING)
            .check(move |case| {
                let [here, ..] = rows(case)?;
                Ok((here.iter().map(|x| x * x).sum::<f64>() - case.size("half") as f64).abs())
            }),
        drawn("positional-encoding.distance", "the product of two rows depends on how far apart they are only: it is that of the rows k and 0")
            .within("rounding of angles up to a thousand", 1e-9)
            .check(move |case| {
                let [here, k, there] = rows(case)?;
                let product: f64 = here.iter().zip(&there).map(|(a, b)| a * b).sum();
                // Row 0 is 0, 1, 0, 1, …
                let with_first: f64 = k.iter().skip(1).step_by(2).sum();
                Ok((product - with_first).abs())
            }),
        drawn("positional-encoding.slowest", "the first pair turns by a radian a step, each further one 10000^(2/d) times slower")
            .within("rounding", ROUNDING)
            .check(|case| {
                let d = 2 * case.size("half");
                let row = positional_encoding::<f64>(2, d)?.select(0, 1)?.into_vec();
                let angles: Vec<f64> = row.as_chunks::<2>().0.iter().map(|pair| pair[0].atan2(pair[1])).collect();
                let ratio = 10_000f64.powf(2.0 / d as f64);
                let steps = angles.windows(2).map(|pair| (pair[0] / pair[1] / ratio - 1.0).abs());
                Ok((angles[0] - 1.0).abs() + steps.fold(0.0, f64::max))
            }),
    ]
}

fn rotations() -> Vec<Property> {
    const ID: &[&str] = &["rotary-encoding"];
    let drawn = |id, statement| {
        Property::new(id, ID, statement)
            .draw(Draw::size("n", 1..=2).limited(1.0..=8.0))
            .draw(Draw::size("t", 1..=6).limited(1.0..=200.0))
            .draw(Draw::size("heads", 1..=2).limited(1.0..=8.0))
            .draw(Draw::size("half", 1..=4).limited(1.0..=32.0))
            .draw(Draw::log("base", 2.0..=1e5).limited(1.001..=1e9))
            .draw(Draw::size("first", 0..=1000).limited(0.0..=1e6))
            .draw(Draw::seed("values"))
    };
    let op = |case: &Case<'_>| Ok::<_, Failure>(Rotary::new(2 * case.size("half"), case.real("base"))?);
    let x = |case: &Case<'_>, which| {
        normal(case, which, &[case.size("n"), case.size("t"), case.size("heads") * 2 * case.size("half")])
    };
    vec![
        drawn("rotary-encoding.relative", "the product of a query and a key depends on how far apart they are, not on where they stand")
            .within("rounding of angles up to a thousand", 1e-9)
            .check(move |case| {
                let size = 2 * case.size("half");
                let [q, k] = [normal(case, 0, &[1, size])?, normal(case, 1, &[1, size])?];
                let (t, first) = (case.size("t"), case.size("first"));
                let at = |x: &Tensor<f64>, place: usize| op(case)?.first(place).eval([x]).map_err(Failure::from);
                let product = |a: &Tensor<f64>, b: &Tensor<f64>| a.select(0, 0)?.dot(&b.select(0, 0)?);
                let near = product(&at(&q, t)?, &at(&k, 0)?)?;
                let far = product(&at(&q, first + t)?, &at(&k, first)?)?;
                // And it is not the same at another distance, unless it is a whole turn away.
                Ok((near - far).abs())
            }),
        drawn("rotary-encoding.definition", "each pair is a complex number times e^(i·pos·θ)")
            .within("rounding of angles up to a thousand", 1e-10)
            .check(move |case| {
                let (x, size, first) = (x(case, 0)?, 2 * case.size("half"), case.size("first"));
                let y = op(case)?.first(first).eval([&x])?;
                let base = case.real("base");
                let expected = Tensor::from_fn(x.dims(), |at| {
                    let (pair, odd) = (at[2] % size / 2, at[2] % 2 == 1);
                    let (sin, cos) =
                        ((first + at[1]) as f64 / base.powf(2.0 * pair as f64 / size as f64)).sin_cos();
                    let even = at[2] - at[2] % 2;
                    let number = |column| x.get([at[0], at[1], column]).unwrap_or(f64::NAN);
                    let [re, im] = [number(even), number(even + 1)];
                    if odd { re * sin + im * cos } else { re * cos - im * sin }
                })?;
                Ok(y.max_difference(&expected)?)
            }),
        drawn("rotary-encoding.adjoint", "it is orthogonal: lengths stay, and its adjoint turns back")
            .within("rounding", ROUNDING)
            .check(move |case| {
                let (op, x, dy) = (op(case)?.first(case.size("first")), x(case, 0)?, x(case, 1)?);
                let (y, ()) = op.forward([&x])?;
                let [back] = op.vjp([&x], &(), &dy, [true])?;
                let [round] = op.vjp([&x], &(), &y, [true])?;
                let (Some(back), Some(round)) = (back, round) else { return Ok(f64::INFINITY) };
                let adjoint = (y.dot(&dy)? - x.dot(&back)?).abs() / (1.0 + x.len() as f64);
                Ok::<_, Failure>(adjoint + round.max_difference(&x)?)
            }),
        gradient_property(drawn("rotary-encoding.gradient", "the gradient, of some columns only too").draw(Draw::seed("columns")), move |case| {
            let (x, size) = (x(case, 0)?, 2 * case.size("half"));
            let columns = (case.seed("columns") % (case.size("heads") as u64 + 1)) as usize * size;
            Ok((op(case)?.first(case.size("first")).columns(columns), [x]))
        }),
        drawn("rotary-encoding.columns", "columns that are not to be turned stay, to the bit; a part of a sequence is turned as in the whole")
            .holds(move |case| {
                let (x, size) = (x(case, 0)?, 2 * case.size("half"));
                let (y, all) = (op(case)?.columns(size).eval([&x])?, op(case)?.eval([&x])?);
                let (width, t) = (x.dims()[2], x.dims()[1]);
                let last = op(case)?.first(t - 1).eval([&x.slice(1, t - 1..t)?])?;
                Ok::<_, Failure>(y.slice(2, 0..size)?.same_bits(&all.slice(2, 0..size)?)
                    && y.slice(2, size..width)?.same_bits(&x.slice(2, size..width)?)
                    && last.same_bits(&all.slice(1, t - 1..t)?))
            }),
    ]
}

/// A convolution along a sequence, `[N, T, D]` to `[N, T, D]`, with weights `[D, D, k]`: of the k positions up to its own, or around it.
pub(super) fn along(
    weight: &Tensor<f64>,
    dilation: usize,
    causal: bool,
) -> Result<impl Fn(&Var<f64>) -> Result<Var<f64>> + use<>> {
    let (d, kernel) = (weight.dims()[0], weight.dims()[2]);
    let reach = (kernel - 1) * dilation;
    let window = Window::new(kernel).dilation(dilation);
    let window = if causal { window.padded_by(reach, 0) } else { window.padded(reach / 2) };
    let shape = ConvShape::new(d, d, [window]).without_bias();
    let layer = Conv1d::from_tensors(shape, weight.clone(), None)
        .map_err(|error| Error::argument("convolution", "shape", error.to_string(), "one that fits"))?;
    Ok(move |x: &Var<f64>| {
        let channels = x.permute(&[0, 2, 1])?;
        layer.forward(&channels, &mut Mode::Eval)?.permute(&[0, 2, 1])
    })
}

fn pattern() -> Property {
    Property::new("missing-convolution.pattern", &["missing-convolution"], "which positions depend on which is found, even where the numbers of a position pull against each other")
        .draw(Draw::size("t", 1..=8).limited(1.0..=50.0))
        .draw(Draw::size("d", 2..=4).limited(2.0..=16.0))
        .draw(Draw::seed("values"))
        .holds(|case| {
            let (t, d, seed) = (case.size("t"), case.size("d"), case.seed("values"));
            let sees = |i: usize, j: usize| {
                (seed ^ (i * 64 + j) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29).is_multiple_of(3)
            };
            let seen = Tensor::from_fn([t, t], |at| sees(at[0], at[1]))?;
            let mixed = Tensor::from_fn([t, t], |at| if sees(at[0], at[1]) { 1.5 } else { 0.0 })?;
            // Rows that add up to 0: what is asked of all outputs alike comes back as nothing.
            let weights = normal(case, 0, &[d, d])?;
            let weights = Var::constant(weights.sub(&weights.mean_axis(1)?.insert_axis(1)?)?);
            let mixed = Var::constant(mixed);
            let found = dependence(&normal(case, 1, &[t, d])?, |x| mixed.matmul(x)?.matmul(&weights))?;
            Ok::<_, Failure>(found == seen)
        })
}

fn convolution() -> Property {
    Property::new(
        "missing-convolution.permutation",
        &["missing-convolution"],
        "positions in another order get self-attention's results in that order; a convolution gives others",
    )
    .draw(Draw::size("t", 3..=8).limited(3.0..=50.0))
    .draw(Draw::size("d", 1..=4).limited(1.0..=16.0))
    .draw(Draw::seed("values"))
    .draw(Draw::seed("order"))
    .holds(|case| {
        let (t, d) = (case.size("t"), case.size("d"));
        let x = normal(case, 0, &[1, t, d])?;
        let order = shuffled(case.seed("order"), t);
        let still = order.windows(2).all(|pair| pair[0] < pair[1]);
        // A reversal keeps neighbours: with a symmetric kernel only, which random ones are not.
        case.classify(still, "the same order");
        let attend = |x: &Tensor<f64>| Attention::new(1, Mask::default()).eval([x, x, x]);
        let convolve = along(&normal(case, 1, &[d, d, 3])?, 1, false)?;
        let convolved = |x: &Tensor<f64>| Ok::<_, Failure>(convolve(&Var::constant(x.clone()))?.value());
        let turned = x.gather(1, &order)?;
        let equivariant = attend(&turned)?.max_difference(&attend(&x)?.gather(1, &order)?)? < ROUNDING;
        let differs = convolved(&turned)?.max_difference(&convolved(&x)?.gather(1, &order)?)? > 1e-6;
        Ok(equivariant && (differs || still))
    })
}
