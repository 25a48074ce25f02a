//! What is cut into blocks, spread over cores and computed into used buffers equals what a plain loop gives.
#![allow(clippy::unwrap_used)] // helpers of tests are tests too

use gradus_tensor::kernel::{View, for_each_block, for_each_block_of_two, map_blocks, product};
use gradus_tensor::{Scalar, Tensor, Transpose, buffers, with_threads};

/// Small whole numbers: sums and products of them are exact, in any order.
fn whole<T: Scalar>(dims: &[usize], seed: usize) -> Tensor<T> {
    let value = |i: usize| T::of(((i * 7919 + seed * 104_729) % 17) as f64 - 8.0);
    let mut i = 0;
    Tensor::from_fn(dims, |_| {
        i += 1;
        value(i)
    })
    .unwrap()
}

/// The product by three loops.
fn plain<T: Scalar>(a: &Tensor<T>, b: &Tensor<T>, transpose: [Transpose; 2]) -> Tensor<T> {
    let get = |x: &Tensor<T>, t: Transpose, i: usize, j: usize| match t {
        Transpose::No => x.as_slice()[i * x.dims()[1] + j],
        Transpose::Yes => x.as_slice()[j * x.dims()[1] + i],
    };
    let size =
        |x: &Tensor<T>, t: Transpose, axis: usize| x.dims()[if t == Transpose::No { axis } else { 1 - axis }];
    let (m, k, n) = (size(a, transpose[0], 0), size(a, transpose[0], 1), size(b, transpose[1], 1));
    let term = |i, j, r| get(a, transpose[0], i, r) * get(b, transpose[1], r, j);
    Tensor::from_fn([m, n], |at| (0..k).fold(T::ZERO, |sum, r| sum + term(at[0], at[1], r))).unwrap()
}

fn products<T: Scalar>() {
    // Every way of cutting: one tile, tiles across either side, long sums, single rows and columns, odd edges.
    let sizes = [
        [1, 1, 1],
        [1, 64, 10],
        [1, 65, 33],
        [3, 1, 5],
        [64, 64, 1],
        [5, 7, 3],
        [33, 17, 65],
        [130, 120, 300],
        [300, 130, 120],
        [64, 700, 129],
        [129, 700, 64],
        [3, 9000, 2],
        [2, 40_000, 3],
        [1, 20_000, 3],
        [13, 20, 20_000],
        [20_000, 20, 13],
        [7, 0, 4],
    ];
    for [m, k, n] in sizes {
        for transpose in
            [Transpose::No, Transpose::Yes].map(|l| [Transpose::No, Transpose::Yes].map(|r| [l, r])).concat()
        {
            let dims = |t: Transpose, r: usize, c: usize| if t == Transpose::No { [r, c] } else { [c, r] };
            let a = whole::<T>(&dims(transpose[0], m, k), 1);
            let b = whole::<T>(&dims(transpose[1], k, n), 2);
            let got = a.product(transpose[0], &b, transpose[1]).unwrap();
            assert_eq!(got, plain(&a, &b, transpose), "{m}×{k} · {k}×{n}, {transpose:?}");
        }
    }
}

#[test]
fn products_equal_three_loops_however_they_are_cut() {
    products::<f64>();
    products::<f32>();
}

#[test]
fn an_epilogue_sees_every_element_once_and_knows_where_it_is() {
    for [m, k, n] in [[1, 3, 5], [40, 30, 20], [130, 120, 300], [400, 130, 100], [2, 40_000, 3]] {
        let (a, b) = (whole::<f64>(&[m, k], 3), whole::<f64>(&[k, n], 4));
        let mut out = vec![f64::NAN; m * n];
        let view = |x: &'_ Tensor<f64>| -> [usize; 2] { [x.dims()[0], x.dims()[1]] };
        let [left, right] =
            [&a, &b].map(|x| View::new(x.as_slice(), view(x)[0], view(x)[1], Transpose::No).unwrap());
        let mark = |row: usize, column: usize, y: &mut [f64]| {
            y.iter_mut().enumerate().for_each(|(j, y)| *y += (row * n + column + j) as f64 * 1e6);
        };
        product(&mut out, left, right, Some(&mark)).unwrap();
        let expected = plain(&a, &b, [Transpose::No; 2]);
        for (i, (got, plain)) in out.iter().zip(expected.as_slice()).enumerate() {
            assert_eq!(*got, plain + i as f64 * 1e6, "{m}×{k}×{n}");
        }
    }
}

#[test]
fn affine_is_a_product_and_a_sum() {
    for [n, k, d] in [[1, 64, 10], [70, 200, 300]] {
        let (x, w, b) = (whole::<f64>(&[n, k], 5), whole(&[k, d], 6), whole(&[d], 7));
        assert_eq!(x.affine(&w, &b).unwrap(), x.matmul(&w).unwrap().add(&b).unwrap());
        let one = x.select(0, 0).unwrap().affine(&w, &b).unwrap();
        assert_eq!(one, x.affine(&w, &b).unwrap().select(0, 0).unwrap());
        assert!(
            x.affine(&b, &b).is_err()
                && x.affine(&w, &w).is_err()
                && w.transpose().unwrap().affine(&x, &b).is_err()
        );
    }
}

#[test]
fn views_refuse_what_lies_outside() {
    let data = [1.0f64; 10];
    assert!(View::new(&data, 2, 5, Transpose::Yes).is_ok() && View::new(&data, 3, 4, Transpose::No).is_err());
    assert!(View::strided(&data, 4, 2, (3, 1)).is_err() && View::strided(&data, 4, 1, (3, 1)).is_ok());
    assert!(View::strided(&data, usize::MAX, 2, (usize::MAX, 1)).is_err());
    let (a, b) =
        (View::new(&data, 2, 5, Transpose::No).unwrap(), View::new(&data, 2, 5, Transpose::No).unwrap());
    let error = product(&mut [0.0; 4], a, b, None).unwrap_err().to_string();
    assert!(error.contains("2×5 · 2×5"), "{error}");
    let error = product(&mut [0.0; 5], a, b.transposed(), None).unwrap_err().to_string();
    assert!(error.contains("5 elements") && error.contains("2·2"), "{error}");
}

#[test]
fn maps_pairs_and_reductions_equal_plain_loops_at_sizes_around_a_block() {
    for len in [0, 1, 31, 1023, 1025, 32_767, 32_768, 32_769, 100_001] {
        let (x, y) = (whole::<f64>(&[len], 8), whole::<f64>(&[len], 9));
        let plain: f64 = x.as_slice().iter().sum();
        assert_eq!(x.sum(), plain);
        assert_eq!(
            x.dot(&y).unwrap(),
            x.as_slice().iter().zip(y.as_slice()).map(|(a, b)| a * b).sum::<f64>()
        );
        let sum = x.add(&y).unwrap();
        assert!(sum.as_slice().iter().zip(x.as_slice()).zip(y.as_slice()).all(|((s, x), y)| *s == x + y));
        assert!(x.map(|v| v + 1.0).as_slice().iter().zip(x.as_slice()).all(|(a, b)| *a == b + 1.0));
        let mut z = x.clone();
        z.zip_in_place(&y, |a, b| a + b).unwrap();
        assert_eq!(z, sum);
        z.map_in_place(|v| v * 2.0);
        x.map_to(&mut z, |v| -v).unwrap();
        assert_eq!(z, x.neg());
        assert_eq!(x.max().ok(), x.as_slice().iter().copied().reduce(f64::max));
    }
    for dims in [[3, 40_000], [40_000, 3], [300, 301], [1, 5], [5, 1]] {
        let x = whole::<f64>(&dims, 10);
        let (row, column) = (whole::<f64>(&[1, dims[1]], 11), whole::<f64>(&[dims[0], 1], 12));
        for other in [&row, &column] {
            let stretched = other.broadcast_to(dims).unwrap();
            assert_eq!(x.mul(other).unwrap(), x.mul(&stretched).unwrap());
            assert_eq!(other.sub(&x).unwrap(), stretched.sub(&x).unwrap());
        }
        let at = |i: usize, j: usize| x.as_slice()[i * dims[1] + j];
        let by_column = Tensor::from_fn([dims[1]], |j| (0..dims[0]).map(|i| at(i, j[0])).sum()).unwrap();
        let by_row = Tensor::from_fn([dims[0]], |i| (0..dims[1]).map(|j| at(i[0], j)).sum()).unwrap();
        assert_eq!((x.sum_axis(0).unwrap(), x.sum_axis(1).unwrap()), (by_column, by_row));
        let most =
            Tensor::from_fn([dims[1]], |j| (0..dims[0]).map(|i| at(i, j[0])).fold(-9.0, f64::max)).unwrap();
        assert_eq!(x.max_axis(0).unwrap(), most);
        let turned = x.transpose().unwrap();
        assert_eq!(turned.max_axis(1).unwrap(), most);
        assert!(
            (0..dims[0] * dims[1])
                .step_by(97)
                .all(|k| turned.get([k % dims[1], k / dims[1]]).unwrap() == at(k / dims[1], k % dims[1]))
        );
    }
}

#[test]
fn a_used_buffer_shows_nothing_of_its_past() {
    // Large enough for the lists, of every element type; what was there is not 0.
    for _ in 0..3 {
        drop((Tensor::full([100_000], 7.0f64), Tensor::full([100_000], 7u32), Tensor::full([400_000], true)));
        assert_eq!(Tensor::<f64>::zeros([100_000]).unwrap().sum(), 0.0);
        assert!(Tensor::<u32>::zeros([99_990]).unwrap().as_slice().iter().all(|&v| v == 0));
        assert!(Tensor::<bool>::zeros([400_000]).unwrap().as_slice().iter().all(|&v| !v));
        let x = Tensor::full([99_000], 1.0f64).unwrap();
        assert_eq!((x.len(), x.clone().into_vec().len(), x.sum()), (99_000, 99_000, 99_000.0));
    }
    assert!(buffers::statistics().reused > 0);
    let x = Tensor::full([100_000], 2.0f64).unwrap();
    let mut y = x.clone();
    y.as_mut_slice()[0] = 5.0;
    assert_eq!((x.as_slice()[0], y.as_slice()[0], y.as_slice()[99_999]), (2.0, 5.0, 2.0));
}

#[test]
fn blocks_are_visited_once_in_any_number_of_threads() {
    for threads in [1, 2, 3] {
        with_threads(threads, || {
            let mut seen = vec![0u32; 1001];
            for_each_block(&mut seen, 10, |i, block| block.iter_mut().for_each(|v| *v += i as u32 + 1));
            assert!(seen.iter().enumerate().all(|(k, v)| *v == k as u32 / 10 + 1));
            let (mut a, mut b) = (vec![0; 25], vec![0; 9]);
            for_each_block_of_two((&mut a, 3), (&mut b, 1), |i, a, b| {
                a.fill(i);
                b.fill(i);
            });
            assert!(
                a.iter().enumerate().all(|(k, v)| *v == k / 3) && b.iter().enumerate().all(|(k, v)| *v == k)
            );
            assert_eq!(map_blocks(100, |i| i * i), (0..100).map(|i| i * i).collect::<Vec<_>>());
        });
    }
}

#[test]
fn the_triangular_factor_of_a_tall_matrix_has_its_gram_matrix_and_its_lengths() {
    for [n, d] in [[1, 1], [3, 5], [5, 3], [64, 7], [65, 7], [1000, 13], [40_000, 3]] {
        let x = whole::<f64>(&[n, d], 13);
        let r = x.triangular_factor().unwrap();
        assert_eq!(r.dims(), [n.min(d), d]);
        for i in 0..n.min(d) {
            assert!((0..i).all(|j| r.as_slice()[i * d + j] == 0.0), "{n}×{d} is not triangular");
        }
        let gram = |x: &Tensor<f64>| x.product(Transpose::Yes, x, Transpose::No).unwrap();
        let size = gram(&x).abs().max().unwrap().max(1.0);
        let off = gram(&r).max_difference(&gram(&x)).unwrap();
        assert!(off <= 64.0 * f64::EPSILON * size * d as f64, "{n}×{d}: {off:e} of {size:e}");
        // Small singular values as well as Householder's on the whole matrix has them; the Gram matrix would lose half.
        let graded = x.mul(&Tensor::from_fn([d], |j| 10f64.powi(-3 * j[0] as i32)).unwrap()).unwrap();
        if n > 2 * d {
            let (ours, whole) =
                (graded.triangular_factor().unwrap().svd().unwrap().s, graded.svd().unwrap().s);
            for (a, b) in ours.as_slice().iter().zip(whole.as_slice()) {
                assert!((a - b).abs() <= 1e-12 * b, "{n}×{d}: {a:e} for {b:e}");
            }
        }
        let (left, right) = (x.slice(1, 0..d / 2).unwrap(), x.slice(1, d / 2..d).unwrap());
        assert!(Tensor::triangular_factor_of(&[&left, &right]).unwrap().same_bits(&r));
    }
    let tiny = Tensor::from([[1e-310f64, 1e300], [1e-310, -1e300], [0.0, 1e300]]);
    let r = tiny.triangular_factor().unwrap();
    assert!((r.get([0, 0]).unwrap().abs() / (2f64.sqrt() * 1e-310) - 1.0).abs() < 1e-10, "{r}");
    assert!(Tensor::from([[1.0], [f64::NAN]]).triangular_factor().is_err());
    assert!(Tensor::from([1.0, 2.0]).triangular_factor().is_err());
}

#[test]
fn a_gram_matrix_is_the_product_of_the_transpose() {
    for [n, d] in [[0, 3], [1, 1], [5, 3], [300, 7], [257, 13], [1000, 50], [20_000, 5], [70, 130]] {
        let (x, y) = (whole::<f64>(&[n, d], 14), whole::<f64>(&[n, 1], 15));
        let expected = x.product(Transpose::Yes, &x, Transpose::No).unwrap();
        assert_eq!(Tensor::gram_of(&[&x]).unwrap(), expected, "{n}×{d}");
        let single = Tensor::gram_of(&[&x.cast::<f32>()]).unwrap();
        assert_eq!(single.cast::<f64>(), expected, "{n}×{d} in f32");
        let joined = Tensor::concatenate(&[&y, &x], 1).unwrap();
        assert_eq!(
            Tensor::gram_of(&[&y, &x]).unwrap(),
            joined.product(Transpose::Yes, &joined, Transpose::No).unwrap()
        );
    }
    let x = Tensor::from([[1.0, f64::NAN], [2.0, 3.0]]);
    assert!(Tensor::gram_of(&[&x]).unwrap().get([0, 1]).unwrap().is_nan());
    assert!(Tensor::gram_of(&[&x, &Tensor::from([[1.0]])]).is_err());
}

#[test]
fn singular_values_alone_are_those_of_the_decomposition() {
    for [n, d] in [[0, 3], [3, 2], [2, 3], [50, 33], [33, 50], [40, 40]] {
        let mut seed = 1u64;
        let x = Tensor::<f64>::from_fn([n, d], |_| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 11) as f64 / (1u64 << 53) as f64 - 0.5
        })
        .unwrap();
        let (alone, whole) = (x.singular_values().unwrap(), x.svd().unwrap().s);
        assert_eq!(alone.shape(), whole.shape());
        assert!(n == 0 || alone.max_difference(&whole).unwrap() <= 1e-13 * whole.as_slice()[0], "{n}×{d}");
    }
    assert!(
        Tensor::<f64>::zeros([40, 40])
            .unwrap()
            .singular_values()
            .unwrap()
            .as_slice()
            .iter()
            .all(|&s| s == 0.0)
    );
    assert!(Tensor::full([40, 40], f64::NAN).unwrap().singular_values().is_err());
}
