//! What the tensor operations promise, as properties; and drawn arrays as tensors, for the crates above.

use crate::{Result, Scalar, Tensor, Transpose};
use gradus_formula::{Array, Case, Draw, Failure, Property};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand_distr::StandardNormal;

/// The generator of everything that a property draws by a seed.
pub fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// A drawn array as a tensor.
///
/// # Errors
/// Never for an array that the runner drew.
pub fn tensor_of<T: Scalar>(array: &Array) -> Result<Tensor<T>> {
    Tensor::from_vec(array.data.iter().map(|&x| T::of(x)).collect(), &array.shape)
}

/// Unit roundoff of `f64`.
const U: f64 = f64::EPSILON / 2.0;

/// γₙ = nu / (1 − nu): the relative error of n rounded operations in a row.
fn gamma(n: usize) -> f64 {
    let nu = n as f64 * U;
    nu / (1.0 - nu)
}

fn normal(case: &Case<'_>, seed: &str, dims: &[usize]) -> Result<Tensor<f64>> {
    Tensor::random(dims, &StandardNormal, &mut rng(case.seed(seed)))
}

/// A permutation of 0..n that the drawn number names.
fn permutation(mut number: usize, n: usize) -> Vec<usize> {
    let mut left: Vec<usize> = (0..n).collect();
    let mut next = |k| {
        let at = number % k;
        number /= k;
        left.remove(at)
    };
    (1..=n).rev().map(&mut next).collect()
}

/// The largest |x − y| of two tensors, ∞ for different shapes.
fn distance(x: &Tensor<f64>, y: &Tensor<f64>) -> f64 {
    x.max_difference(y).unwrap_or(f64::INFINITY)
}

fn same(x: &Tensor<f64>, y: &Tensor<f64>) -> f64 {
    if x.same_bits(y) { 0.0 } else { f64::INFINITY }
}

/// The properties in parts: who wants those of one chapter, as a page of the book does, need not take along all others.
pub const PROPERTIES: &[fn() -> Vec<Property>] =
    &[layout, elementwise, reductions, products, decompositions, threads];

/// The properties of this crate. They are about operations, not about formulas of the book.
pub fn properties() -> Vec<Property> {
    PROPERTIES.iter().flat_map(|part| part()).collect()
}

fn three_dims(id: &'static str, statement: &'static str) -> Property {
    Property::new(id, &[], statement)
        .draw(Draw::size("a", 1..=5))
        .draw(Draw::size("b", 1..=4))
        .draw(Draw::size("c", 1..=6))
        .draw(Draw::array("x", -9.0..=9.0, &["a", "b", "c"]))
}

fn layout() -> Vec<Property> {
    vec![
        three_dims("tensor.permute-element", "permute(x, p)[i] = x[i moved back by p]")
            .draw(Draw::integer("order", 0..=5).limited(0.0..=5.0))
            .check(|case| {
                let x: Tensor<f64> = tensor_of(case.array("x"))?;
                let order = permutation(case.size("order"), 3);
                let y = x.permute(&order)?;
                let mut back = [0; 3];
                let plain = Tensor::from_fn(y.shape(), |i| {
                    (0..3).for_each(|to| back[order[to]] = i[to]);
                    x.get(back).unwrap_or(f64::NAN)
                })?;
                Ok(same(&y, &plain))
            }),
        three_dims("tensor.slice-concatenate", "the pieces of a split, joined, are the tensor")
            .draw(Draw::integer("axis", 0..=2).limited(0.0..=2.0))
            .draw(Draw::integer("cut", 0..=6).limited(0.0..=64.0))
            .check(|case| {
                let x: Tensor<f64> = tensor_of(case.array("x"))?;
                let axis = case.size("axis");
                let n = x.dims()[axis];
                let cut = case.size("cut").min(n);
                case.classify(cut == 0 || cut == n, "an empty piece");
                let parts = x.split(axis, &[cut, n - cut])?;
                Ok(same(&Tensor::concatenate(&[&parts[0], &parts[1]], axis)?, &x))
            }),
        three_dims("tensor.pad-slice", "the middle of a padded tensor is the tensor, its border the value")
            .draw(Draw::integer("axis", 0..=2).limited(0.0..=2.0))
            .draw(Draw::integer("before", 0..=3).limited(0.0..=9.0))
            .draw(Draw::integer("after", 0..=3).limited(0.0..=9.0))
            .check(|case| {
                let x: Tensor<f64> = tensor_of(case.array("x"))?;
                let (axis, before, after) = (case.size("axis"), case.size("before"), case.size("after"));
                let y = x.pad(axis, before, after, 7.0)?;
                let n = x.dims()[axis];
                let border = y.len() - x.len();
                let sevens = y.as_slice().iter().filter(|&&v| v == 7.0).count();
                let inside = x.as_slice().iter().filter(|&&v| v == 7.0).count();
                let middle = y.slice(axis, before..before + n)?;
                Ok(same(&middle, &x) + (border + inside).abs_diff(sevens) as f64)
            }),
        three_dims("tensor.stack-select", "selecting from a stack gives the tensor back")
            .draw(Draw::integer("axis", 0..=3).limited(0.0..=3.0))
            .check(|case| {
                let x: Tensor<f64> = tensor_of(case.array("x"))?;
                let axis = case.size("axis");
                let stack = Tensor::stack(&[&x, &x.neg()], axis)?;
                Ok(same(&stack.select(axis, 0)?, &x) + same(&stack.select(axis, 1)?, &x.neg()))
            }),
        three_dims("tensor.gather-select", "each gathered index is the selected one")
            .draw(Draw::seed("indices"))
            .check(|case| {
                let x: Tensor<f64> = tensor_of(case.array("x"))?;
                let n = x.dims()[1] as u64;
                let seed = case.seed("indices");
                let indices: Vec<u32> = (0..5).map(|i| (seed.rotate_left(7 * i) % n) as u32).collect();
                let y = x.gather(1, &indices)?;
                let mut apart = 0.0;
                for (k, &i) in indices.iter().enumerate() {
                    apart += same(&y.select(1, k)?, &x.select(1, i as usize)?);
                }
                Ok(apart)
            }),
    ]
}

fn elementwise() -> Vec<Property> {
    vec![
        Property::new(
            "tensor.broadcast-element",
            &[],
            "(x ∘ y)[i] reads index 0 wherever a size is 1 or missing",
        )
        .draw(Draw::size("a", 1..=4))
        .draw(Draw::size("b", 1..=4))
        .draw(Draw::size("c", 1..=4))
        .draw(Draw::integer("stretch", 0..=63).limited(0.0..=63.0))
        .draw(Draw::integer("drop", 0..=2).limited(0.0..=2.0))
        .draw(Draw::seed("values"))
        .check(|case| {
            let full = [case.size("a"), case.size("b"), case.size("c")];
            let bits = case.size("stretch");
            let side = |shift: usize| -> Vec<usize> {
                (0..3).map(|i| if bits >> (shift + i) & 1 == 1 { 1 } else { full[i] }).collect()
            };
            let (left, right) = (side(0), side(3));
            let right = &right[case.size("drop")..];
            case.classify(left == right, "equal shapes");
            let (x, y) = (normal(case, "values", &left)?, normal(case, "values", right)?.scale(0.5));
            let z = x.zip(&y, |a, b| a - 2.0 * b)?;
            let read = |t: &Tensor<f64>, i: &[usize]| {
                let skip = i.len() - t.rank();
                let at: Vec<usize> =
                    t.dims().iter().zip(&i[skip..]).map(|(&n, &i)| if n == 1 { 0 } else { i }).collect();
                t.get(at).unwrap_or(f64::NAN)
            };
            Ok(same(&z, &Tensor::from_fn(z.shape(), |i| read(&x, i) - 2.0 * read(&y, i))?))
        }),
        Property::new("tensor.sum-to-adjoint", &[], "⟨stretch(x), y⟩ = ⟨x, sum_to(y)⟩")
            .draw(Draw::size("a", 1..=4))
            .draw(Draw::size("b", 1..=4))
            .draw(Draw::size("c", 1..=4))
            .draw(Draw::integer("stretch", 0..=7).limited(0.0..=7.0))
            .draw(Draw::integer("drop", 0..=2).limited(0.0..=2.0))
            .draw(Draw::seed("values"))
            .within("γ of the number of terms × Σ|terms|", 1.0)
            .check(|case| {
                let full = [case.size("a"), case.size("b"), case.size("c")];
                let bits = case.size("stretch");
                let small: Vec<usize> =
                    (0..3).map(|i| if bits >> i & 1 == 1 { 1 } else { full[i] }).collect();
                let x = normal(case, "values", &small[case.size("drop")..])?;
                let y = normal(case, "values", &full)?;
                let stretched = x.broadcast_to(full)?;
                let terms = stretched.mul(&y)?.abs().sum();
                let apart = (stretched.dot(&y)? - x.dot(&y.sum_to(x.shape())?)?).abs();
                Ok(apart / (4.0 * gamma(y.len() + 1) * terms).max(f64::MIN_POSITIVE))
            }),
    ]
}

fn reductions() -> Vec<Property> {
    vec![
        three_dims("tensor.sum-axis", "a sum along an axis is a product with ones")
            .draw(Draw::integer("axis", 0..=2).limited(0.0..=2.0))
            .within("γₙ Σ|x|", 1.0)
            .check(|case| {
                let x: Tensor<f64> = tensor_of(case.array("x"))?;
                let axis = case.size("axis");
                let mut order = vec![0, 1, 2];
                order.push(order[axis]);
                order.remove(axis);
                let last = x.permute(&order)?;
                let n = last.dims()[2];
                let by_product = last.matmul(&Tensor::ones([n, 1])?)?.remove_axis(2)?;
                let bound = 2.0 * gamma(n) * x.abs().sum();
                Ok(distance(&x.sum_axis(axis)?, &by_product) / bound.max(f64::MIN_POSITIVE))
            }),
        Property::new("tensor.sum-error", &[], "a sum in f32 errs by at most γ of 8 + 16 + log₂ n terms")
            .draw(Draw::size("n", 1..=4096))
            .draw(Draw::seed("values"))
            .within("pairwise bound", 1.0)
            .check(|case| {
                // Straight runs of 16 additions in each of 8 lanes, the lanes' own sum, then halves.
                let x = normal(case, "values", &[case.size("n")])?.cast::<f32>();
                let exact = x.cast::<f64>();
                let depth = 16.0 + 8.0 + (x.len() as f64).log2().max(0.0);
                let bound = depth * f64::from(f32::EPSILON) / 2.0 * exact.abs().sum();
                Ok((f64::from(x.sum()) - exact.sum()).abs() / (1.01 * bound).max(f64::MIN_POSITIVE))
            }),
        three_dims("tensor.log-sum-exp-bounds", "max ≤ lse ≤ max + ln n")
            .within("rounding of the result", 4.0 * f64::EPSILON)
            .check(|case| {
                let x = tensor_of::<f64>(case.array("x"))?.scale(100.0);
                let (lse, max) = (x.log_sum_exp_axis(2)?, x.max_axis(2)?);
                let room = (x.dims()[2] as f64).ln();
                let outside = lse.zip(&max, |l, m| {
                    let scale = 1.0 + Scalar::max_or_nan(m.abs(), room);
                    Scalar::max_or_nan(m - l, l - m - room).max_or_nan(0.0) / scale
                })?;
                Ok(outside.max()?)
            }),
        three_dims("tensor.log-sum-exp-shift", "lse(x + c) = lse(x) + c, far outside the range of exp")
            .draw(Draw::real("shift", -1e4..=1e4))
            .within("rounding of the shifted numbers", 8.0 * f64::EPSILON)
            .check(|case| {
                let x: Tensor<f64> = tensor_of(case.array("x"))?;
                let shift = case.real("shift");
                let moved = x.map(|v| v + shift).log_sum_exp_axis(1)?;
                let apart = distance(&moved, &x.log_sum_exp_axis(1)?.map(|v| v + shift));
                Ok(apart / (1.0 + shift.abs()))
            }),
        three_dims("tensor.variance-shift", "a variance does not change when a large constant is added")
            .draw(Draw::integer("shift", -1_000_000..=1_000_000))
            .within("rounding of the shifted numbers", 1e-9)
            .check(|case| {
                let x: Tensor<f64> = tensor_of(case.array("x"))?;
                let shift = case.integer("shift") as f64;
                let moved = x.map(|v| v + shift).variance_axis(0, 0)?;
                Ok(distance(&moved, &x.variance_axis(0, 0)?) / (1.0 + x.max()?.abs()))
            }),
        three_dims("tensor.argmax", "the element at argmax is the maximum, and the first such").check(
            |case| {
                let x = tensor_of::<f64>(case.array("x"))?.map(f64::trunc);
                let (at, max) = (x.argmax_axis(1)?, x.max_axis(1)?);
                let mut wrong = 0.0;
                for (i, &k) in at.as_slice().iter().enumerate() {
                    let c = x.dims()[2];
                    let column = |j: usize| x.get([i / c, j, i % c]).unwrap_or(f64::NAN);
                    let m = max.as_slice()[i];
                    let first = (0..x.dims()[1]).find(|&j| column(j) == m);
                    wrong += f64::from(u8::from(first != Some(k as usize)));
                }
                Ok(wrong)
            },
        ),
        Property::new(
            "tensor.nan",
            &[],
            "a NaN anywhere reaches sum, mean, max, min, log-sum-exp and argmax",
        )
        .draw(Draw::size("n", 1..=9))
        .draw(Draw::integer("at", 0..=8).limited(0.0..=64.0))
        .holds(|case| {
            let n = case.size("n");
            let at = case.size("at") % n;
            let mut x = Tensor::linspace(-1.0, 1.0, n)?;
            x.set([at], f64::NAN)?;
            let all = [x.sum(), x.mean()?, x.max()?, x.min()?, x.log_sum_exp_axis(0)?.item()?];
            Ok(all.iter().all(|v| v.is_nan()) && x.argmax_axis(0)?.item()? as usize == at)
        }),
    ]
}

fn product_draws(property: Property) -> Property {
    property
        .draw(Draw::size("m", 1..=20))
        .draw(Draw::size("k", 1..=20))
        .draw(Draw::size("n", 1..=20))
        .draw(Draw::choice("left", &["as it is", "transposed"]))
        .draw(Draw::choice("right", &["as it is", "transposed"]))
        .draw(Draw::seed("values"))
}

fn transpose_of(case: &Case<'_>, name: &str) -> Transpose {
    if case.choice(name) == "transposed" { Transpose::Yes } else { Transpose::No }
}

fn operand(
    case: &Case<'_>,
    batch: &[usize],
    rows: usize,
    cols: usize,
    transpose: Transpose,
    part: u64,
) -> Result<Tensor<f64>, Failure> {
    let (rows, cols) = if transpose == Transpose::Yes { (cols, rows) } else { (rows, cols) };
    let dims: Vec<usize> = batch.iter().copied().chain([rows, cols]).collect();
    Ok(Tensor::random(dims, &StandardNormal, &mut rng(case.seed("values") ^ part << 40))?)
}

fn plain(x: &Tensor<f64>, tx: Transpose) -> Result<Tensor<f64>> {
    if tx == Transpose::Yes { x.transpose() } else { Ok(x.clone()) }
}

fn products() -> Vec<Property> {
    vec![
        product_draws(Property::new(
            "tensor.matmul-plain",
            &[],
            "a product is its three loops, transposed or not",
        ))
        .within("γₖ |A|·|B|", 1.0)
        .check(|case| {
            let (m, k, n) = (case.size("m"), case.size("k"), case.size("n"));
            let (ta, tb) = (transpose_of(case, "left"), transpose_of(case, "right"));
            let (a, b) = (operand(case, &[], m, k, ta, 1)?, operand(case, &[], k, n, tb, 2)?);
            let fast = a.product(ta, &b, tb)?;
            let (a, b) = (plain(&a, ta)?, plain(&b, tb)?);
            let entry = |i: &[usize], f: fn(f64) -> f64| -> f64 {
                (0..k).map(|j| f(a.as_slice()[i[0] * k + j] * b.as_slice()[j * n + i[1]])).sum()
            };
            let loops = Tensor::from_fn([m, n], |i| entry(i, |x| x))?;
            let bound = Tensor::from_fn([m, n], |i| 2.0 * gamma(k) * entry(i, f64::abs))?;
            Ok(fast.sub(&loops)?.abs().div(&bound)?.max()?)
        }),
        product_draws(Property::new("tensor.matmul-batch", &[], "a batched product is one product a matrix"))
            .draw(Draw::size("batch", 1..=3))
            .draw(Draw::choice("shared", &["none", "left", "right"]))
            .within("γₖ |A|·|B|", 1.0)
            .check(|case| {
                let (m, k, n, batch) = (case.size("m"), case.size("k"), case.size("n"), case.size("batch"));
                let (ta, tb) = (transpose_of(case, "left"), transpose_of(case, "right"));
                let dims = |name| if case.choice("shared") == name { [2, 1] } else { [2, batch] };
                let a = operand(case, &dims("left"), m, k, ta, 1)?;
                let b = operand(case, &dims("right"), k, n, tb, 2)?;
                let all = a.product(ta, &b, tb)?;
                let mut apart: f64 = 0.0;
                for i in 0..2 {
                    for j in 0..batch {
                        let one = |t: &Tensor<f64>| t.select(0, i)?.select(0, j.min(t.dims()[1] - 1));
                        let (a, b) = (one(&a)?, one(&b)?);
                        let bound = a.abs().product(ta, &b.abs(), tb)?.scale(4.0 * gamma(k));
                        let off = all.select(0, i)?.select(0, j)?.sub(&a.product(ta, &b, tb)?)?.abs();
                        apart = apart.max_or_nan(off.div(&bound)?.max()?);
                    }
                }
                Ok(apart)
            }),
        product_draws(Property::new("tensor.matmul-adjoint", &[], "⟨A·B, C⟩ = ⟨B, Aᵀ·C⟩"))
            .within("γ of the terms × Σ|terms|", 1.0)
            .check(|case| {
                let (m, k, n) = (case.size("m"), case.size("k"), case.size("n"));
                let a = operand(case, &[], m, k, Transpose::No, 1)?;
                let (b, c) = (
                    operand(case, &[], k, n, Transpose::No, 2)?,
                    operand(case, &[], m, n, Transpose::No, 3)?,
                );
                let left = a.matmul(&b)?.dot(&c)?;
                let right = b.dot(&a.product(Transpose::Yes, &c, Transpose::No)?)?;
                let terms = a.abs().matmul(&b.abs())?.dot(&c.abs())?;
                Ok((left - right).abs() / (4.0 * gamma(m + k + n) * terms))
            }),
    ]
}

fn decompositions() -> Vec<Property> {
    let matrix = |id, statement| {
        Property::new(id, &[], statement)
            .draw(Draw::size("rows", 1..=12))
            .draw(Draw::size("cols", 1..=8))
            .draw(Draw::log("condition", 1.0..=1e12))
            .draw(Draw::seed("values"))
            .within("64 n u, relative to the largest element", 64.0 * 12.0 * U)
    };
    // Columns scaled over the drawn range: the condition number is at least that.
    let scaled = |case: &Case<'_>| -> Result<Tensor<f64>> {
        let (rows, cols) = (case.size("rows"), case.size("cols"));
        let last = cols.saturating_sub(1).max(1) as f64;
        let scale = Tensor::from_fn([cols], |j| case.real("condition").powf(-(j[0] as f64) / last))?;
        normal(case, "values", &[rows, cols])?.mul(&scale)
    };
    let relative = |x: &Tensor<f64>, y: &Tensor<f64>| -> Result<f64> {
        Ok(distance(x, y) / y.abs().max()?.max(f64::MIN_POSITIVE))
    };
    vec![
        matrix("tensor.qr", "Q·R = A, QᵀQ = I, R upper triangular").check(move |case| {
            let a = scaled(case)?;
            let (q, r) = a.qr()?;
            let gram = q.product(Transpose::Yes, &q, Transpose::No)?;
            let below =
                Tensor::from_fn(r.shape(), |i| if i[0] > i[1] { r.get(i).unwrap_or(f64::NAN) } else { 0.0 })?;
            let orthonormal = distance(&gram, &Tensor::eye(q.dims()[1])?);
            Ok(relative(&q.matmul(&r)?, &a)?.max_or_nan(orthonormal).max_or_nan(below.abs().max()?))
        }),
        matrix("tensor.svd", "U·S·Vᵀ = A, orthonormal U and V, s falling and not negative").check(
            move |case| {
                let a = scaled(case)?;
                let svd = a.svd()?;
                let k = svd.s.len();
                let gram_u = svd.u.product(Transpose::Yes, &svd.u, Transpose::No)?;
                let gram_v = svd.vt.product(Transpose::No, &svd.vt, Transpose::Yes)?;
                let s = svd.s.as_slice();
                if s.windows(2).any(|w| w[0] < w[1]) || s.iter().any(|&x| x < 0.0) {
                    return Ok(f64::INFINITY);
                }
                let eye = Tensor::eye(k)?;
                let orthonormal = distance(&gram_u, &eye).max_or_nan(distance(&gram_v, &eye));
                Ok(relative(&svd.u.mul(&svd.s)?.matmul(&svd.vt)?, &a)?.max_or_nan(orthonormal))
            },
        ),
        matrix("tensor.cholesky", "L·Lᵀ = A for A = XᵀX + I").check(move |case| {
            let x = scaled(case)?;
            let n = x.dims()[1];
            let a = x.product(Transpose::Yes, &x, Transpose::No)?.add(&Tensor::eye(n)?)?;
            let l = a.cholesky()?;
            relative(&l.product(Transpose::No, &l, Transpose::Yes)?, &a).map_err(Into::into)
        }),
        matrix("tensor.triangular-solve", "U·solve(U, b) = b, backward stable").check(move |case| {
            let (_, r) = scaled(case)?.qr()?;
            let n = r.dims()[0].min(r.dims()[1]);
            let upper = r.slice(0, 0..n)?.slice(1, 0..n)?;
            let b = normal(case, "values", &[n, 2])?;
            let x = upper.solve_upper(&b)?;
            let mirrored = upper.transpose()?.solve_lower(&b)?;
            let off = upper.matmul(&x)?.sub(&b)?.abs();
            let size = upper.abs().matmul(&x.abs())?;
            let off_lower = upper.transpose()?.matmul(&mirrored)?.sub(&b)?.abs();
            let size_lower = upper.transpose()?.abs().matmul(&mirrored.abs())?;
            Ok(off.div(&size)?.max()?.max_or_nan(off_lower.div(&size_lower)?.max()?))
        }),
    ]
}

/// Properties of what is cut into blocks: the number of threads changes no bit.
fn threads() -> Vec<Property> {
    let tall = |id, statement| {
        Property::new(id, &[], statement)
            .draw(Draw::size("rows", 1..=1000))
            .draw(Draw::size("columns", 1..=120))
            .draw(Draw::size("threads", 2..=5))
            .draw(Draw::seed("data"))
    };
    vec![
        tall(
            "tensor.threads-elementwise",
            "maps, pairs, stretched pairs, axes turned: the same bits on any number of threads",
        )
        .check(|case| {
            let (x, row) = pair(case)?;
            on_threads(case, || {
                let column = x.slice(1, 0..1)?;
                let mut inside = x.clone();
                inside.zip_in_place(&x, |a, b| a * b + 0.1)?;
                Ok(vec![x.exp(), x.mul(&x)?, x.sub(&row)?, column.div(&x)?, x.transpose()?, inside])
            })
        }),
        tall(
            "tensor.threads-reductions",
            "sums, means, extremes, log-sum-exp: the same bits on any number of threads",
        )
        .check(|case| {
            let (x, _) = pair(case)?;
            on_threads(case, || {
                let mut out =
                    vec![Tensor::scalar(x.sum()), Tensor::scalar(x.dot(&x)?), Tensor::scalar(x.max()?)];
                for axis in 0..2 {
                    out.extend([x.sum_axis(axis)?, x.max_axis(axis)?, x.log_sum_exp_axis(axis)?]);
                    out.push(x.argmax_axis(axis)?.map(f64::from));
                }
                Ok(out)
            })
        }),
        tall(
            "tensor.threads-products",
            "products, tall, wide, long, and in batches: the same bits on any number of threads",
        )
        .check(|case| {
            let (x, row) = pair(case)?;
            let gram = |t| x.product(t, &x, if t == Transpose::Yes { Transpose::No } else { Transpose::Yes });
            on_threads(case, || {
                let batch = x.insert_axis(0)?;
                Ok(vec![
                    gram(Transpose::Yes)?,
                    gram(Transpose::No)?,
                    row.product(Transpose::No, &x, Transpose::Yes)?,
                    Tensor::concatenate(&[&batch, &batch, &batch], 0)?.product(
                        Transpose::Yes,
                        &batch,
                        Transpose::No,
                    )?,
                ])
            })
        }),
        tall("tensor.threads-triangle", "the triangular factor: the same bits on any number of threads")
            .draw(Draw::integer("copies", 1..=40).limited(1.0..=64.0))
            .check(|case| {
                let (x, _) = pair(case)?;
                let x = x.slice(1, 0..x.dims()[1].min(6))?;
                let copies = vec![&x; case.size("copies")];
                let x = Tensor::concatenate(&copies, 0)?;
                case.classify(x.dims()[0] > 1 << 14, "several triangles");
                on_threads(case, || Ok(vec![x.triangular_factor()?]))
            }),
    ]
}

fn pair(case: &mut Case<'_>) -> Result<(Tensor<f64>, Tensor<f64>)> {
    let (n, d) = (case.size("rows"), case.size("columns"));
    case.classify(n * d > crate::parallel::BLOCK, "several blocks");
    Ok((normal(case, "data", &[n, d])?, normal(case, "data", &[1, d])?))
}

/// 0 if `f` gives the same bits on one thread and on as many as were drawn, ∞ otherwise.
fn on_threads(
    case: &Case<'_>,
    f: impl Fn() -> Result<Vec<Tensor<f64>>> + Sync,
) -> std::result::Result<f64, Failure> {
    let one = crate::with_threads(1, &f)?;
    let several = crate::with_threads(case.size("threads"), &f)?;
    Ok(one.iter().zip(&several).map(|(a, b)| same(a, b)).fold(0.0, f64::max))
}
