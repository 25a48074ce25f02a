//! Edges: the smallest and largest numbers, shapes without elements, values that are no numbers.
#![allow(clippy::unwrap_used)] // helpers of tests are tests too

use gradus_tensor::{Scalar, Tensor, Transpose};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use rand_distr::StandardNormal;

/// How far a decomposition may be from its matrix, relative to the largest element, and its factors from orthonormal:
/// 64·n·u for up to twelve rows and columns.
fn room<T: Scalar>() -> f64 {
    64.0 * 12.0 * T::EPSILON.as_f64() / 2.0
}

fn random(rows: usize, cols: usize, seed: u64) -> Tensor<f64> {
    Tensor::random([rows, cols], &StandardNormal, &mut ChaCha8Rng::seed_from_u64(seed)).unwrap()
}

fn orthonormal<T: Scalar>(q: &Tensor<T>, what: &str) {
    let gram = q.product(Transpose::Yes, q, Transpose::No).unwrap();
    let off = gram.max_difference(&Tensor::eye(gram.dims()[0]).unwrap()).unwrap().as_f64();
    assert!(off <= room::<T>(), "{what}: {off:e} from orthonormal");
}

/// Checks QR and SVD of one matrix; the comparison is made where nothing overflows or vanishes.
fn decompose<T: Scalar>(a: &Tensor<T>, what: &str) -> Tensor<T> {
    let size = a.abs().max().unwrap().as_f64();
    let unit = |x: &Tensor<T>| x.cast::<f64>().map(|v| if size == 0.0 { v } else { v / size });
    let (q, r) = a.qr().unwrap();
    orthonormal(&q, what);
    let product = q.cast::<f64>().matmul(&unit(&r)).unwrap();
    let off = product.max_difference(&unit(a)).unwrap();
    assert!(off <= room::<T>(), "{what}: Q·R is {off:e} from A");
    for (i, row) in r.rows().unwrap().enumerate() {
        assert!(row.as_slice()[..i].iter().all(|&v| v == T::ZERO), "{what}: R is not upper triangular");
    }
    let svd = a.svd().unwrap();
    orthonormal(&svd.u, what);
    orthonormal(&svd.vt.transpose().unwrap(), what);
    let product = svd.u.cast::<f64>().mul(&unit(&svd.s)).unwrap().matmul(&svd.vt.cast()).unwrap();
    let off = product.max_difference(&unit(a)).unwrap();
    assert!(off <= room::<T>(), "{what}: U·S·Vᵀ is {off:e} from A");
    assert!(svd.s.as_slice().windows(2).all(|w| w[0] >= w[1]), "{what}: {}", svd.s);
    svd.s
}

#[test]
fn decompositions_work_at_any_scale_and_shape() {
    for (seed, [rows, cols]) in
        [[1, 1], [1, 5], [5, 1], [4, 4], [9, 3], [3, 9], [12, 12]].into_iter().enumerate()
    {
        let a = random(rows, cols, seed as u64);
        for power in [-320, -307, -200, -160, -100, 0, 100, 160, 200, 300] {
            // In two steps: 10⁻³²⁰ is subnormal.
            let half = 10f64.powi(power / 2);
            let x = a.map(|v| v * half * 10f64.powi(power - power / 2));
            if power > -308 {
                decompose(&x, &format!("{rows}×{cols} at 1e{power}"));
            } else {
                assert!(x.svd().is_ok() && x.qr().is_ok());
            }
        }
        for power in [-30, -20, 0, 20, 37] {
            let x = a.scale(10f64.powi(power)).cast::<f32>();
            decompose(&x, &format!("{rows}×{cols} in f32 at 1e{power}"));
        }
    }
}

#[test]
fn decompositions_of_graded_and_deficient_matrices() {
    for seed in 0..20 {
        let a = random(6, 3, seed);
        let graded = a.mul(&Tensor::from([1.0, 1e-100, 1e-170])).unwrap();
        let s = decompose(&graded, "columns of very different sizes");
        let lengths = graded.map(|v| v / 1e-170).select(1, 2).unwrap();
        assert!(
            s.as_slice()[2] / 1e-170 <= lengths.dot(&lengths).unwrap().sqrt() && s.as_slice()[2] > 1e-172
        );
        decompose(&graded.transpose().unwrap(), "rows of very different sizes");
        let graded = a.mul(&Tensor::from([1.0, 1e-9, 1e-20])).unwrap().cast::<f32>();
        assert!(decompose(&graded, "columns of very different sizes in f32").as_slice()[2] > 1e-22);
        decompose(&a.mul(&Tensor::from([1e300, 1.0, 1e-300])).unwrap(), "from end to end");
        // Of rank 1, of rank 1 with a column of zeros, of rank 0.
        let line = random(5, 1, seed).matmul(&random(1, 4, seed + 100)).unwrap();
        let s = decompose(&line, "rank 1");
        assert!(s.as_slice()[1] <= s.as_slice()[0] * 1e-14, "{s:?}");
        decompose(
            &line.mul(&Tensor::from([1e-200, 0.0, 1e-200, 1e-200])).unwrap(),
            "rank 1, a column of zeros",
        );
    }
    assert_eq!(decompose(&Tensor::<f64>::zeros([4, 3]).unwrap(), "zero"), Tensor::from([0.0; 3]));
    decompose(&Tensor::<f32>::zeros([3, 4]).unwrap(), "zero in f32");
    decompose(&Tensor::from([[1.0, 1.0], [0.0, 1e-160]]), "a small last row");
}

#[test]
fn the_singular_value_iteration_converges() {
    for seed in 0..3000 {
        let n = 2 + (seed % 5) as usize;
        let a = random(n, n, seed);
        // Whole numbers make exact ties, single precision coarse ones.
        a.map(f64::round).svd().unwrap();
        a.cast::<f32>().svd().unwrap();
        a.svd().unwrap();
    }
    let large = random(120, 120, 1);
    large.svd().unwrap();
    large.cast::<f32>().svd().unwrap();
}

#[test]
fn a_pair_of_columns_on_the_edge_of_orthogonal_does_not_turn_forever() {
    // Each of these took more than sixty sweeps when one rounding was the threshold: five of 600,000.
    decompose(&random(4, 3, 35_227), "seed 35227");
    decompose(&random(5, 5, 36_981).map(|v| (v * 3.0).round()), "seed 36981, whole numbers");
    decompose(&random(9, 7, 54_539).map(f64::round), "seed 54539, whole numbers");
    decompose(&random(9, 7, 59_291).map(f64::signum).cast::<f32>(), "seed 59291, signs in f32");
}

#[test]
fn solves_and_factors_of_nothing() {
    let nothing = Tensor::<f64>::zeros([0, 0]).unwrap();
    assert_eq!(nothing.cholesky().unwrap().shape(), [0, 0]);
    assert_eq!(nothing.solve_lower(&Tensor::zeros([0, 2]).unwrap()).unwrap().shape(), [0, 2]);
    let l = Tensor::from([[2.0, 0.0], [1.0, 4.0]]);
    assert_eq!(l.solve_lower(&Tensor::zeros([2, 0]).unwrap()).unwrap().shape(), [2, 0]);
    assert_eq!(Tensor::<f64>::zeros([5, 0]).unwrap().as_matrix().unwrap().shape(), (5, 0));
    assert_eq!(Tensor::<f64>::zeros([0, 5]).unwrap().to_matrix().unwrap().shape(), (0, 5));
    // What lies in the other half is not read.
    let junk = Tensor::from([[2.0, 7.0], [1.0, 4.0]]);
    let b = Tensor::from([2.0, 9.0]);
    assert_eq!(junk.solve_lower(&b).unwrap(), Tensor::from([1.0, 2.0]));
    // [[2, 1], [·, 4]]: x₂ = 9/4, x₁ = (2 − 9/4)/2.
    assert_eq!(junk.transpose().unwrap().solve_upper(&b).unwrap(), Tensor::from([-0.125, 2.25]));
    assert_eq!(
        Tensor::from([[4.0, 9.0], [2.0, 5.0]]).cholesky().unwrap(),
        Tensor::from([[2.0, 0.0], [1.0, 2.0]])
    );
}

#[test]
fn closeness_to_an_infinity_is_equality() {
    let inf = f64::INFINITY;
    let close = |x: f64, y: f64| Tensor::from([x]).all_close(&Tensor::from([y]), 1e-5, 1e-8).unwrap();
    assert!(close(inf, inf) && close(-inf, -inf) && close(1.0, 1.0 + 1e-6));
    for (x, y) in [(5.0, inf), (-inf, inf), (inf, 5.0), (f64::NAN, inf), (f64::NAN, f64::NAN), (1.0, 1.1)] {
        assert!(!close(x, y), "{x} is not close to {y}");
    }
}

#[test]
fn a_range_ends_before_its_end_and_refuses_what_is_no_number() {
    let range = |a: f64, b: f64, s: f64| Tensor::arange(a, b, s).unwrap().into_vec();
    assert_eq!(range(1.0, 1.3, 0.1).len(), 3, "1 + 3·0.1 is 1.3");
    assert_eq!(range(2.0, 0.0, -0.5), [2.0, 1.5, 1.0, 0.5]);
    assert!(range(0.0, -1.0, 1.0).is_empty());
    for step in 1..60 {
        for count in 1..60 {
            let (s, end) = (f64::from(step) / 10.0, f64::from(step * count) / 10.0);
            let all = range(0.0, end, s);
            assert!(all.iter().all(|&v| v < end), "0..{end} by {s}");
            // 9 · 0.3 is before 2.7 in floating point: one number more is right there.
            assert!(
                (count as usize..=count as usize + 1).contains(&all.len()),
                "0..{end} by {s}: {}",
                all.len()
            );
        }
    }
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    for (a, b, s) in [
        (nan, 1.0, 1.0),
        (0.0, nan, 1.0),
        (0.0, -inf, 1.0),
        (inf, inf, 1.0),
        (inf, 0.0, 1.0),
        (0.0, 1.0, nan),
    ] {
        assert!(Tensor::arange(a, b, s).is_err(), "{a}..{b} by {s}");
    }
    assert!(Tensor::arange(0.0, 1e300, 1.0).unwrap_err().to_string().contains("more elements"));
    let wide = Tensor::linspace(-1.7e308, 1.7e308, 5).unwrap();
    assert!(wide.is_finite(), "{wide:?}");
    assert_eq!(wide.as_slice()[2], 0.0);
    assert_eq!(Tensor::linspace(3.0, 9.0, 1).unwrap(), Tensor::from([3.0]));
    assert!(Tensor::linspace(3.0, 9.0, 0).unwrap().is_empty());
}

#[test]
fn reductions_without_elements_name_themselves() {
    let none = Tensor::<f64>::zeros([0, 0]).unwrap();
    for (name, error) in [
        ("max", none.max_axis(0).unwrap_err()),
        ("min", none.min_axis(1).unwrap_err()),
        ("argmax", none.argmax_axis(0).unwrap_err()),
        ("mean", none.mean_axis(0).unwrap_err()),
        ("log_sum_exp", none.log_sum_exp_axis(1).unwrap_err()),
        ("log_sum_exp", none.log_sum_exp_axis(7).unwrap_err()),
        ("variance", none.variance_axis(0, 0).unwrap_err()),
    ] {
        assert!(error.to_string().starts_with(&format!("{name}:")), "{error}");
    }
    assert_eq!(none.sum_axis(0).unwrap().shape(), [0]);
    assert_eq!(Tensor::<f64>::zeros([3, 0]).unwrap().sum_axis(1).unwrap(), Tensor::from([0.0; 3]));
    assert_eq!(Tensor::<f64>::zeros([2, 0, 3]).unwrap().sum_axis(1).unwrap(), Tensor::zeros([2, 3]).unwrap());
    assert_eq!(Tensor::<f64>::zeros([0]).unwrap().sum_to([1]).unwrap(), Tensor::from([0.0]));
}

#[test]
fn layout_without_elements() {
    let x = Tensor::<f64>::zeros([2, 0, 3]).unwrap();
    assert_eq!(x.permute(&[1, 2, 0]).unwrap().shape(), [0, 3, 2]);
    assert_eq!(x.slice(0, 1..1).unwrap().shape(), [0, 0, 3]);
    assert_eq!(x.gather(0, &[1, 1, 0]).unwrap().shape(), [3, 0, 3]);
    assert_eq!(x.pad(1, 1, 0, 4.0).unwrap(), Tensor::full([2, 1, 3], 4.0).unwrap());
    assert_eq!(Tensor::concatenate(&[&x, &x], 1).unwrap().shape(), [2, 0, 3]);
    assert_eq!(x.scatter_sum(1, &[], 2).unwrap(), Tensor::zeros([2, 2, 3]).unwrap());
    assert_eq!(x.add(&Tensor::zeros([2, 1, 1]).unwrap()).unwrap().shape(), [2, 0, 3]);
    assert_eq!(Tensor::scalar(1.0).broadcast_to([2, 0]).unwrap().shape(), [2, 0]);
    assert_eq!(x.rows().unwrap().count(), 2);
    let (a, b) = (Tensor::<f64>::zeros([0, 2, 3]).unwrap(), Tensor::<f64>::zeros([3, 4]).unwrap());
    assert_eq!(a.matmul(&b).unwrap().shape(), [0, 2, 4]);
    let (a, b) = (Tensor::<f64>::zeros([3, 2, 0]).unwrap(), Tensor::<f64>::zeros([3, 0, 4]).unwrap());
    assert_eq!(a.matmul(&b).unwrap(), Tensor::zeros([3, 2, 4]).unwrap());
    assert_eq!(Tensor::from_fn([], |_| 5.0).unwrap(), Tensor::scalar(5.0));
}

#[test]
fn an_empty_tensor_with_a_huge_axis_prints() {
    let x = Tensor::<f64>::zeros([1 << 58, 0]).unwrap();
    assert_eq!(x.to_string(), "[[],\n [],\n [],\n ...,\n [],\n [],\n []]");
}
