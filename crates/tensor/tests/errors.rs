//! Bad input: each refusal names the operation, the value and what was allowed.

use gradus_tensor::{Error, Shape, Tensor, Transpose};

#[test]
fn every_refusal_says_what_was_wrong_and_what_is_allowed() {
    let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    let v = Tensor::from([1.0, 2.0]);
    let empty = Tensor::<f64>::zeros([0, 2]).unwrap();
    let nan = Tensor::from([[1.0, f64::NAN], [0.0, 1.0]]);
    let not_definite = Tensor::from([[1.0, 2.0], [2.0, 1.0]]);
    let singular = Tensor::from([[1.0, 0.0], [5.0, 0.0]]);
    let table: Vec<(Error, &[&str])> = vec![
        (Tensor::<f64>::zeros([1; 7]).unwrap_err(), &["rank = 7", "0..=6"]),
        (Tensor::<f64>::zeros([usize::MAX, 2]).unwrap_err(), &["more elements than memory"]),
        (Tensor::<f64>::zeros([usize::MAX, 2, 0]).unwrap_err(), &["more elements than memory"]),
        (Tensor::<f64>::zeros([0, usize::MAX, 2]).unwrap_err(), &["more elements than memory"]),
        (Tensor::from_vec(vec![1.0], [2]).unwrap_err(), &["from_vec", "holds 2 values, got 1"]),
        (x.reshape([4]).unwrap_err(), &["reshape", "holds 4 values, got 6"]),
        (x.get([0]).unwrap_err(), &["get", "[0]", "2 numbers"]),
        (x.get([0, 3]).unwrap_err(), &["get", "index 3 on axis 1 of size 3"]),
        (x.item().unwrap_err(), &["item", "one element", "[2, 3]"]),
        (x.permute(&[0, 0]).unwrap_err(), &["permute", "[0, 0]", "each of 0..2 once"]),
        (x.permute(&[0]).unwrap_err(), &["permute", "[0]"]),
        (v.transpose().unwrap_err(), &["transpose", "two dimensions", "[2]"]),
        (x.slice(2, 0..1).unwrap_err(), &["slice", "axis 2", "0..2"]),
        (x.slice(1, 2..4).unwrap_err(), &["slice", "2..4", "within 0..3"]),
        (x.select(0, 2).unwrap_err(), &["select", "index 2", "size 2"]),
        (x.gather(0, &[1, 7]).unwrap_err(), &["gather", "index 7", "0..2"]),
        (Tensor::<f64>::concatenate(&[], 0).unwrap_err(), &["concatenate", "none", "at least one"]),
        (Tensor::concatenate(&[&x, &v], 0).unwrap_err(), &["concatenate", "[2, 3]", "[2]"]),
        (Tensor::stack(&[&x, &v], 0).unwrap_err(), &["stack", "one shape"]),
        (x.split(1, &[1, 1]).unwrap_err(), &["split", "[1, 1]", "add up to 3"]),
        (x.pad(1, usize::MAX, 1, 0.0).unwrap_err(), &["more elements than memory"]),
        (x.remove_axis(0).unwrap_err(), &["remove_axis", "size 1 on axis 0"]),
        (x.insert_axis(3).unwrap_err(), &["insert_axis", "axis 3"]),
        (x.broadcast_to([2]).unwrap_err(), &["broadcast_to", "[2, 3]", "[2]"]),
        (x.add(&v).unwrap_err(), &["add", "[2, 3]", "[2]", "equal or 1"]),
        (v.sum_to([3]).unwrap_err(), &["sum_to"]),
        (v.clone().add_scaled(1.0, &x).unwrap_err(), &["add_scaled", "equal shapes"]),
        (x.matmul(&x).unwrap_err(), &["matmul", "[2, 3]", "inner sizes"]),
        (x.product(Transpose::No, &v, Transpose::No).unwrap_err(), &["matmul", "two dimensions", "[2]"]),
        (x.dot(&v).unwrap_err(), &["dot", "equal shapes"]),
        (empty.mean().unwrap_err(), &["mean", "[0, 2]"]),
        (empty.max().unwrap_err(), &["max", "[0, 2]"]),
        (empty.max_axis(0).unwrap_err(), &["max", "[0, 2]"]),
        (empty.mean_axis(0).unwrap_err(), &["mean", "[0, 2]"]),
        (x.variance_axis(0, 2).unwrap_err(), &["variance", "ddof = 2", "less than the 2 samples"]),
        (Tensor::arange(0.0, 1.0, 0.0).unwrap_err(), &["arange", "step = 0"]),
        (Tensor::arange(0.0, f64::INFINITY, 1.0).unwrap_err(), &["arange", "0..inf"]),
        (nan.svd().unwrap_err(), &["svd", "element 1 is NaN"]),
        (nan.qr().unwrap_err(), &["qr", "element 1 is NaN"]),
        (x.cholesky().unwrap_err(), &["cholesky", "square", "[2, 3]"]),
        (not_definite.cholesky().unwrap_err(), &["cholesky", "not positive definite"]),
        (singular.solve_lower(&v).unwrap_err(), &["solve_lower", "diagonal element 1 is zero"]),
        (singular.solve_lower(&x.transpose().unwrap()).unwrap_err(), &["solve_lower", "[2] or [2, K]"]),
        (v.as_matrix().unwrap_err(), &["as_matrix", "two dimensions"]),
        (x.to_vector().unwrap_err(), &["to_vector", "one dimension"]),
        (x.all_close(&v, 0.0, 0.0).unwrap_err(), &["all_close", "equal shapes"]),
    ];
    for (error, fragments) in table {
        let text = error.to_string();
        for fragment in fragments {
            assert!(text.contains(fragment), "`{text}` does not say `{fragment}`");
        }
    }
}

#[test]
fn empty_and_single_tensors_work() {
    let empty = Tensor::<f64>::zeros([0, 3]).unwrap();
    assert_eq!(empty.sum(), 0.0);
    assert_eq!(empty.sum_axis(0).unwrap(), Tensor::from([0.0, 0.0, 0.0]));
    assert_eq!(empty.max_axis(1).unwrap().shape(), [0]);
    assert_eq!(empty.transpose().unwrap().shape(), [3, 0]);
    let product = Tensor::<f64>::zeros([2, 0]).unwrap().matmul(&empty).unwrap();
    assert_eq!(product, Tensor::zeros([2, 3]).unwrap());
    assert_eq!(empty.qr().unwrap().0.shape(), [0, 0]);
    let one = Tensor::scalar(2.0);
    assert_eq!(one.add(&Tensor::from([[1.0]])).unwrap(), Tensor::from([[3.0]]));
    assert_eq!(one.shape(), Shape::SCALAR);
}

#[test]
fn infinities_in_log_sum_exp() {
    let inf = f64::INFINITY;
    let x = Tensor::from([[-inf, -inf], [inf, 0.0], [-inf, 3.0], [inf, -inf]]);
    assert_eq!(x.log_sum_exp_axis(1).unwrap(), Tensor::from([-inf, inf, 3.0, inf]));
}

#[test]
fn nan_and_infinity_pass_the_product() {
    let x = Tensor::from([[f64::NAN, 1.0], [f64::INFINITY, 1.0]]);
    let y = x.matmul(&Tensor::from([[0.0], [1.0]])).unwrap();
    assert!(y.as_slice().iter().all(|v| v.is_nan()));
}
