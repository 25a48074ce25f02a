//! Every basic operation against five-point differences; linear ones by the adjoint identity as well.

mod chain_rule;
mod derivations;

use crate::ops::{
    Add, BroadcastTo, Concatenate, Div, Exp, Gather, Ln, MatMul, Mean, MeanAxis, Mul, Neg, Permute, PowF,
    PowI, Reshape, Scale, Slice, Sqrt, Sub, Sum, SumAxis,
};
use crate::{Op, Var, composite_gradient_property, gradient_property, gradient_property_many};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Result, Shape, Tensor, Transpose, rng, tensor_of};
use rand_distr::StandardNormal;

/// The properties in parts: who wants those of one chapter, as a page of the book does, need not take along all others.
pub const PROPERTIES: &[fn() -> Vec<Property>] = &[
    chain_rule::properties,
    arithmetic,
    functions,
    reductions,
    layout,
    products,
    graphs,
    derivations::properties,
];

/// The properties of this crate: of the chain rule, and of the operations, which are no formulas of the book.
pub fn properties() -> Vec<Property> {
    PROPERTIES.iter().flat_map(|part| part()).collect()
}

fn normal(case: &Case<'_>, seed: &str, dims: &[usize]) -> Result<Tensor<f64>> {
    Tensor::random(dims, &StandardNormal, &mut rng(case.seed(seed)))
}

/// Two shapes that stretch to a common one: each of three sizes is 1 on the left, on the right, or on neither.
fn stretching(id: &'static str, statement: &'static str) -> Property {
    Property::new(id, &[], statement)
        .draw(Draw::size("a", 1..=3))
        .draw(Draw::size("b", 1..=3))
        .draw(Draw::size("c", 1..=3))
        .draw(Draw::integer("stretch", 0..=63).limited(0.0..=63.0))
        .draw(Draw::integer("drop", 0..=2).limited(0.0..=2.0))
        .draw(Draw::array("x", -3.0..=3.0, &["a", "b", "c"]))
        // Away from 0, for quotients; the sign comes from the position.
        .draw(Draw::array("y", 0.5..=3.0, &["a", "b", "c"]).limited(0.1..=1e3))
}

fn stretched(case: &mut Case<'_>) -> Result<[Tensor<f64>; 2], Failure> {
    let bits = case.size("stretch");
    let cut = |name: &str, shift: usize| -> Result<Tensor<f64>> {
        let mut t: Tensor<f64> = tensor_of(case.array(name))?;
        for axis in 0..3 {
            if bits >> (shift + axis) & 1 == 1 {
                t = t.slice(axis, 0..1)?;
            }
        }
        Ok(t)
    };
    let (x, mut y) = (cut("x", 0)?, cut("y", 3)?);
    for i in (0..y.len()).step_by(2) {
        y.as_mut_slice()[i] *= -1.0;
    }
    for _ in 0..case.size("drop") {
        y = y.select(0, 0)?;
    }
    case.classify(x.shape() == y.shape(), "equal shapes");
    Ok([x, y])
}

fn arithmetic() -> Vec<Property> {
    vec![
        gradient_property(stretching("autograd.add-gradient", "the gradient of x + y"), |c| {
            Ok((Add, stretched(c)?))
        }),
        gradient_property(stretching("autograd.sub-gradient", "the gradient of x − y"), |c| {
            Ok((Sub, stretched(c)?))
        }),
        gradient_property(stretching("autograd.mul-gradient", "the gradient of x · y"), |c| {
            Ok((Mul, stretched(c)?))
        }),
        gradient_property(stretching("autograd.div-gradient", "the gradient of x / y"), |c| {
            Ok((Div, stretched(c)?))
        }),
        gradient_property(vector("autograd.neg-gradient", "the gradient of −x"), |c| {
            Ok((Neg, [tensor_of(c.array("x"))?]))
        }),
        gradient_property(
            vector("autograd.scale-gradient", "the gradient of a·x").draw(Draw::real("a", -3.0..=3.0)),
            |c| Ok((Scale(c.real("a")), [tensor_of(c.array("x"))?])),
        ),
    ]
}

fn vector(id: &'static str, statement: &'static str) -> Property {
    Property::new(id, &[], statement).draw(Draw::size("n", 1..=6)).draw(Draw::array("x", -3.0..=3.0, &["n"]))
}

fn positive(id: &'static str, statement: &'static str) -> Property {
    Property::new(id, &[], statement)
        .draw(Draw::size("n", 1..=6))
        .draw(Draw::array("x", 0.5..=4.0, &["n"]).limited(0.4..=1e3))
}

fn functions() -> Vec<Property> {
    let x = |c: &Case<'_>| tensor_of::<f64>(c.array("x"));
    vec![
        gradient_property(vector("autograd.exp-gradient", "the gradient of eˣ"), move |c| {
            Ok((Exp, [x(c)?]))
        }),
        gradient_property(positive("autograd.ln-gradient", "the gradient of ln x"), move |c| {
            Ok((Ln, [x(c)?]))
        }),
        gradient_property(positive("autograd.sqrt-gradient", "the gradient of √x"), move |c| {
            Ok((Sqrt, [x(c)?]))
        }),
        gradient_property(
            positive("autograd.powf-gradient", "the gradient of xᵖ for a real p")
                .draw(Draw::real("p", -2.0..=3.0)),
            move |c| Ok((PowF(c.real("p")), [x(c)?])),
        ),
        gradient_property(
            vector("autograd.powi-gradient", "the gradient of xⁿ for a whole n, at 0 and below too")
                .draw(Draw::integer("power", 0..=5).limited(0.0..=9.0)),
            move |c| Ok((PowI(c.integer("power") as i32), [x(c)?])),
        ),
    ]
}

fn matrix(id: &'static str, statement: &'static str) -> Property {
    Property::new(id, &[], statement)
        .draw(Draw::size("a", 1..=3))
        .draw(Draw::size("b", 1..=4))
        .draw(Draw::size("c", 1..=3))
        .draw(Draw::array("x", -3.0..=3.0, &["a", "b", "c"]))
}

fn axis() -> Draw {
    Draw::integer("axis", 0..=2).limited(0.0..=2.0)
}

fn reductions() -> Vec<Property> {
    let x = |c: &Case<'_>| tensor_of::<f64>(c.array("x"));
    vec![
        gradient_property(matrix("autograd.sum-gradient", "the gradient of Σx"), move |c| {
            Ok((Sum, [x(c)?]))
        }),
        gradient_property(matrix("autograd.mean-gradient", "the gradient of the mean"), move |c| {
            Ok((Mean, [x(c)?]))
        }),
        gradient_property(
            matrix("autograd.sum-axis-gradient", "the gradient of sums along an axis").draw(axis()),
            move |c| Ok((SumAxis(c.size("axis")), [x(c)?])),
        ),
        gradient_property(
            matrix("autograd.mean-axis-gradient", "the gradient of means along an axis").draw(axis()),
            move |c| Ok((MeanAxis(c.size("axis")), [x(c)?])),
        ),
    ]
}

fn layout() -> Vec<Property> {
    let x = |c: &Case<'_>| tensor_of::<f64>(c.array("x"));
    let range = |p: Property| {
        p.draw(axis())
            .draw(Draw::integer("start", 0..=4).limited(0.0..=99.0))
            .draw(Draw::integer("end", 0..=4).limited(0.0..=99.0))
    };
    let slice = move |c: &Case<'_>| -> Result<(Slice, [Tensor<f64>; 1])> {
        let x = x(c)?;
        let axis = c.size("axis");
        let n = x.dims()[axis];
        let (a, b) = (c.size("start").min(n), c.size("end").min(n));
        Ok((Slice { axis, range: a.min(b)..a.max(b) }, [x]))
    };
    let permute = move |c: &Case<'_>| -> Result<(Permute, [Tensor<f64>; 1])> {
        const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        Ok((Permute(ORDERS[c.size("order")].to_vec()), [x(c)?]))
    };
    let gather = move |c: &Case<'_>| -> Result<(Gather, [Tensor<f64>; 1])> {
        let x = x(c)?;
        let axis = c.size("axis");
        let n = x.dims()[axis] as u64;
        let seed = c.seed("indices");
        let indices = (0..c.size("taken") as u32).map(|i| (seed.rotate_left(7 * i) % n) as u32).collect();
        Ok((Gather { axis, indices }, [x]))
    };
    let order = || Draw::integer("order", 0..=5).limited(0.0..=5.0);
    let taken = |p: Property| p.draw(axis()).draw(Draw::size("taken", 0..=6)).draw(Draw::seed("indices"));
    vec![
        gradient_property(matrix("autograd.reshape-gradient", "the gradient of a reshape"), move |c| {
            let x = x(c)?;
            Ok((Reshape(Shape::new([x.len()])?), [x]))
        }),
        gradient_property(
            matrix("autograd.permute-gradient", "the gradient of a permutation").draw(order()),
            move |c| Ok(permute(c)?),
        ),
        adjoint(matrix("autograd.permute-adjoint", "⟨Px, y⟩ = ⟨x, Pᵀy⟩").draw(order()), move |c| {
            Ok(permute(c)?)
        }),
        gradient_property(range(matrix("autograd.slice-gradient", "the gradient of a slice")), move |c| {
            Ok(slice(c)?)
        }),
        adjoint(range(matrix("autograd.slice-adjoint", "⟨Sx, y⟩ = ⟨x, Sᵀy⟩")), move |c| {
            Ok(slice(c)?)
        }),
        gradient_property(
            taken(matrix("autograd.gather-gradient", "the gradient of gathering, repeats added")),
            move |c| Ok(gather(c)?),
        ),
        adjoint(taken(matrix("autograd.gather-adjoint", "⟨Gx, y⟩ = ⟨x, Gᵀy⟩")), move |c| {
            Ok(gather(c)?)
        }),
        gradient_property(stretching("autograd.broadcast-to-gradient", "the gradient of a stretch"), |c| {
            let [x, y] = stretched(c)?;
            Ok((BroadcastTo(x.shape().broadcast("test", &y.shape())?), [y]))
        }),
        gradient_property_many(
            matrix("autograd.concatenate-gradient", "the gradient of joining")
                .draw(axis())
                .draw(Draw::size("parts", 1..=3)),
            move |c| {
                let x = x(c)?;
                let mut dims = x.dims().to_vec();
                let mut parts = vec![x];
                for i in 1..c.size("parts") {
                    // Parts of other lengths, an empty one among them.
                    dims[c.size("axis")] = 2 * (i % 2);
                    parts.push(normal(c, "cotangent", &dims)?);
                }
                Ok((Concatenate(c.size("axis")), parts))
            },
        ),
    ]
}

/// Makes `property` the adjoint test of a linear operation: ⟨Ax, y⟩ = ⟨x, Aᵀy⟩ to the rounding of the two sums.
fn adjoint<O: Op<f64, 1>>(
    property: Property,
    make: impl Fn(&mut Case<'_>) -> Result<(O, [Tensor<f64>; 1]), Failure> + Send + Sync + 'static,
) -> Property {
    property.draw(Draw::seed("y")).within("8 u Σ|terms|", 8.0 * f64::EPSILON).check(move |case| {
        let (op, [x]) = make(case)?;
        let (ax, saved) = op.forward([&x])?;
        let y = normal(case, "y", ax.dims())?;
        let [back] = op.vjp([&x], &saved, &y, [true])?;
        let Some(back) = back else { return Err(Failure::Error("no gradient".into())) };
        Ok((ax.dot(&y)? - x.dot(&back)?).abs() / ax.mul(&y)?.abs().sum().max(1.0))
    })
}

fn products() -> Vec<Property> {
    let product =
        Property::new("autograd.matmul-gradient", &[], "the gradient of A·B, transposed, batched, stretched")
            .draw(Draw::size("m", 1..=3))
            .draw(Draw::size("k", 1..=3))
            .draw(Draw::size("n", 1..=3))
            .draw(Draw::choice("left", &["as it is", "transposed"]))
            .draw(Draw::choice("right", &["as it is", "transposed"]))
            .draw(Draw::choice("batch", &["none", "both", "left", "right", "stretched"]))
            .draw(Draw::seed("values"));
    vec![gradient_property(product, |c| {
        let (m, k, n) = (c.size("m"), c.size("k"), c.size("n"));
        let transpose = |name| if c.choice(name) == "transposed" { Transpose::Yes } else { Transpose::No };
        let (left, right) = (transpose("left"), transpose("right"));
        let (batch_a, batch_b): (&[usize], &[usize]) = match c.choice("batch") {
            "both" => (&[2], &[2]),
            "left" => (&[2], &[]),
            "right" => (&[], &[2]),
            "stretched" => (&[2, 1], &[1, 3]),
            _ => (&[], &[]),
        };
        let operand = |batch: &[usize], rows: usize, cols: usize, t: Transpose| {
            let tail = if t == Transpose::Yes { [cols, rows] } else { [rows, cols] };
            normal(c, "values", &[batch, &tail].concat())
        };
        let inputs = [operand(batch_a, m, k, left)?, operand(batch_b, k, n, right)?];
        Ok((MatMul { left, right }, inputs))
    })]
}

fn graphs() -> Vec<Property> {
    vec![
        composite_gradient_property(
            vector("autograd.fork", "a value used twice gets both gradients: the diamond (x·eˣ)·(x + eˣ)"),
            |c| {
                let f = |v: &[Var<f64>]| {
                    let e = v[0].exp()?;
                    v[0].mul(&e)?.mul(&v[0].add(&e)?)
                };
                Ok((f, vec![tensor_of(c.array("x"))?]))
            },
        ),
        composite_gradient_property(
            Property::new(
                "autograd.layer",
                &[],
                "the gradient of a small network: (1 + e^(XW + b))⁻¹·v, summed by rows",
            )
            .draw(Draw::size("n", 1..=3))
            .draw(Draw::size("d", 1..=3))
            .draw(Draw::size("h", 1..=3))
            .draw(Draw::seed("values")),
            |c| {
                let (n, d, h) = (c.size("n"), c.size("d"), c.size("h"));
                let dims: [&[usize]; 4] = [&[n, d], &[d, h], &[h], &[h, 1]];
                let inputs = dims.iter().map(|dims| normal(c, "values", dims)).collect::<Result<Vec<_>>>()?;
                let f = |v: &[Var<f64>]| {
                    let one = Var::constant(Tensor::scalar(1.0));
                    let z = v[0].matmul(&v[1])?.add(&v[2])?.exp()?.add(&one)?;
                    one.div(&z)?.matmul(&v[3])?.sum_axis(1)
                };
                Ok((f, inputs))
            },
        ),
    ]
}
