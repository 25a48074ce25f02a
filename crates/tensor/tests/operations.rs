//! Operations by hand, on numbers that a reader can check: what no property covers.
#![allow(clippy::unwrap_used)] // helpers of tests are tests too

use gradus_tensor::{Scalar, Tensor, Transpose};

/// 0, 1, 2, … in a shape.
fn counted<const N: usize>(shape: [usize; N]) -> Tensor<f64> {
    let n: usize = shape.iter().product();
    Tensor::arange(0.0, n as f64, 1.0).unwrap().reshape(shape).unwrap()
}

#[test]
fn elements_rows_and_slices_of_three_dimensions() {
    let x = counted([2, 3, 4]);
    for (a, b, c) in (0..24).map(|i| (i / 12, i / 4 % 3, i % 4)) {
        assert_eq!(x.get([a, b, c]).unwrap(), (12 * a + 4 * b + c) as f64);
    }
    let rows: Vec<_> = x.rows().unwrap().collect();
    assert_eq!((rows.len(), &rows[1]), (2, &x.select(0, 1).unwrap()));
    assert_eq!(
        x.slice(1, 1..3).unwrap().select(0, 1).unwrap().as_slice(),
        [16.0, 17.0, 18.0, 19.0, 20.0, 21.0, 22.0, 23.0]
    );
    let mut y = x.clone();
    y.set([1, 0, 2], -1.0).unwrap();
    assert_eq!((y.as_slice()[14], x.as_slice()[14]), (-1.0, 14.0), "a copy is written");
    assert!(x.get([0, 0, 4]).is_err() && x.get([0, 0]).is_err() && x.gather(1, &[3]).is_err());
}

#[test]
fn scattering_adds_where_an_index_repeats_in_every_block() {
    let y = counted([2, 3, 2]).scatter_sum(1, &[3, 0, 3], 4).unwrap();
    let expected = [
        [[2.0, 3.0], [0.0, 0.0], [0.0, 0.0], [4.0, 6.0]],
        [[8.0, 9.0], [0.0, 0.0], [0.0, 0.0], [16.0, 18.0]],
    ];
    assert_eq!(y, Tensor::from(expected));
    assert!(
        counted([2]).scatter_sum(0, &[0, 4], 4).is_err() && counted([2]).scatter_sum(0, &[0], 4).is_err()
    );
}

#[test]
fn padding_before_is_not_padding_behind() {
    let y = counted([2, 2]).pad(1, 1, 2, 9.0).unwrap();
    assert_eq!(y, Tensor::from([[9.0, 0.0, 1.0, 9.0, 9.0], [9.0, 2.0, 3.0, 9.0, 9.0]]));
}

#[test]
fn choosing_takes_yes_where_it_is_true_and_stretches_all_three() {
    let mask = Tensor::from([[true], [false]]);
    let y = mask.choose(&Tensor::from([1.0, 2.0]), &Tensor::scalar(-1.0)).unwrap();
    assert_eq!(y, Tensor::from([[1.0, 2.0], [-1.0, -1.0]]));
    assert!(mask.choose(&Tensor::from([1.0, 2.0, 3.0]), &Tensor::from([1.0, 2.0])).is_err());
}

#[test]
fn in_place_sums_are_scaled_and_copy_what_is_shared() {
    let x = Tensor::from([1.0, 2.0]);
    let mut y = x.clone();
    y.add_scaled(-0.5, &Tensor::from([2.0, 4.0])).unwrap();
    assert_eq!((y, x), (Tensor::from([0.0, 0.0]), Tensor::from([1.0, 2.0])));
}

#[test]
fn variances_divide_by_n_less_ddof() {
    let x = Tensor::from([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0], [6.0, 0.0]]);
    assert_eq!(x.variance_axis(0, 0).unwrap(), Tensor::from([3.5, 0.0]));
    assert_eq!(x.variance_axis(0, 1).unwrap(), Tensor::from([14.0 / 3.0, 0.0]));
    assert!(Tensor::from([1.0, f64::INFINITY]).variance_axis(0, 0).unwrap().item().unwrap().is_nan());
}

#[test]
fn extremes_of_nan_infinity_and_negative_zero() {
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    let x = Tensor::from([[3.0, -inf], [-2.0, -inf], [inf, -inf]]);
    assert_eq!(
        (x.max_axis(0).unwrap(), x.min_axis(0).unwrap()),
        (Tensor::from([inf, -inf]), Tensor::from([-2.0, -inf]))
    );
    assert_eq!(
        (x.min().unwrap(), x.max().unwrap(), x.select(1, 0).unwrap().min().unwrap()),
        (-inf, inf, -2.0)
    );
    for at in 0..3 {
        let mut y = x.clone();
        y.set([at, 0], nan).unwrap();
        assert!(y.max().unwrap().is_nan() && y.min().unwrap().is_nan());
        for extreme in [y.max_axis(0).unwrap(), y.min_axis(0).unwrap(), y.log_sum_exp_axis(0).unwrap()] {
            assert!(extreme.as_slice()[0].is_nan() && !extreme.as_slice()[1].is_nan());
        }
        assert_eq!(y.argmax_axis(0).unwrap(), Tensor::from([at as u32, 0]));
    }
    // The first NaN, the first of equals; 0 and −0 are equal.
    assert_eq!(Tensor::from([1.0, nan, inf, nan]).argmax_axis(0).unwrap().item().unwrap(), 1);
    assert_eq!(Tensor::from([-0.0, 0.0]).argmax_axis(0).unwrap().item().unwrap(), 0);
    assert!(nan.min_or_nan(1.0).is_nan() && 1.0f64.min_or_nan(nan).is_nan() && 1.0f64.min_or_nan(2.0) == 1.0);
}

#[test]
fn comparisons_see_nan_infinity_and_the_sign_of_zero() {
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    let apart = |x: [f64; 2], y: [f64; 2]| Tensor::from(x).max_difference(&Tensor::from(y)).unwrap();
    assert_eq!(
        (apart([1.0, 5.0], [3.0, 4.0]), apart([inf, 1.0], [inf, 1.0]), apart([inf, 1.0], [-inf, 1.0])),
        (2.0, 0.0, inf)
    );
    assert!(apart([nan, 9.0], [0.0, 1.0]).is_nan() && apart([9.0, 0.0], [1.0, nan]).is_nan());
    let same = |x: f64, y: f64| Tensor::from([x]).same_bits(&Tensor::from([y]));
    assert!(same(nan, nan) && same(-0.0, -0.0) && !same(0.0, -0.0) && !same(1.0, 1.0 + f64::EPSILON));
    assert!(!Tensor::from([1.0]).same_bits(&Tensor::from([[1.0]])));
}

#[test]
fn long_sums_leave_no_term_out_along_any_axis() {
    for n in [1, 7, 8, 9, 127, 128, 129, 130, 255, 257, 1000, 1027] {
        // Whole numbers: exact in any order, and a term that is left out or taken twice shows.
        let x = Tensor::from_fn([n, 3], |i| (3 * i[0] + i[1]) as f64).unwrap();
        let total = |c: usize| (0..n).map(|i| (3 * i + c) as f64).sum::<f64>();
        assert_eq!(x.sum_axis(0).unwrap(), Tensor::from([0, 1, 2].map(total)), "{n} rows");
        assert_eq!(
            x.transpose().unwrap().sum_axis(1).unwrap(),
            Tensor::from([0, 1, 2].map(total)),
            "{n} columns"
        );
        assert_eq!(x.sum(), (0..3).map(total).sum::<f64>());
    }
}

#[test]
fn long_sums_err_like_the_logarithm_of_their_length() {
    // 2²² times 0.1 in f32: straight on in eight lanes it would be 10⁻³ off, by halves some roundings.
    let x = Tensor::full([1 << 22], 0.1f32).unwrap();
    let exact = f64::from(0.1f32) * f64::from(1 << 22);
    let off = |sum: f32| (f64::from(sum) - exact).abs() / exact / f64::from(f32::EPSILON);
    assert!(off(x.sum()) <= 8.0, "{}", off(x.sum()));
    let columns = x.reshape([1 << 21, 2]).unwrap().sum_axis(0).unwrap();
    assert!(columns.as_slice().iter().all(|&s| off(2.0 * s) <= 8.0), "{columns:?}");
}

#[test]
fn products_of_batches_that_only_one_side_has() {
    let (a, b) = (counted([2, 1, 2]), counted([3, 1, 2, 2]));
    let y = a.matmul(&b).unwrap();
    assert_eq!(y.shape(), [3, 2, 1, 2]);
    for i in 0..3 {
        for j in 0..2 {
            let one = a.select(0, j).unwrap().matmul(&b.select(0, i).unwrap().select(0, 0).unwrap()).unwrap();
            assert_eq!(y.select(0, i).unwrap().select(0, j).unwrap(), one);
        }
    }
    // One matrix on the right, under more leading axes than the left has.
    let y = counted([2, 2]).matmul(&counted([1, 1, 2, 3])).unwrap();
    assert_eq!(y, Tensor::from([[[[3.0, 4.0, 5.0], [9.0, 14.0, 19.0]]]]));
    let y = counted([2, 2, 2]).product(Transpose::No, &counted([2, 3, 2]), Transpose::Yes).unwrap();
    assert_eq!(y.select(0, 1).unwrap(), Tensor::from([[59.0, 77.0, 95.0], [85.0, 111.0, 137.0]]));
}
