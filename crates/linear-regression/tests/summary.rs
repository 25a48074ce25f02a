//! Layout of the summary.
#![allow(clippy::unwrap_used)] // helpers of the tests
use gradus_linear_regression::LinearRegression;
use gradus_tensor::Tensor;
#[test]
fn show() {
    let x = Tensor::from([[1.0, 2.0], [2.0, 1.0], [3.0, 5.0], [4.0, 3.0], [5.0, 8.0]]);
    let fit = LinearRegression::new().fit(&x, &Tensor::from([3.1, 4.0, 8.9, 8.1, 14.2])).unwrap();
    println!("{}", fit.summary(&["rain", "sun"], 0, 0.95).unwrap());
    let s = fit.statistics(0).unwrap();
    println!("{s:?}");
}
