//! Data large enough for the short cuts: the part that is fitted first, and Hessians that serve for several steps. What comes of them
//! must be what the plain formulas say.

use gradus_logistic_regression::{ClassWeights, Error, Fit, LogisticRegression, Stop, gradient, hessian};
use gradus_tensor::kernel::sum_by_two;
use gradus_tensor::math::sigmoid;
use gradus_tensor::{Tensor, with_threads};

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Numbers between −1 and 1, without a generator of another crate.
fn noise(i: usize) -> f64 {
    let mut z = (i as u64).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 11) as f64 / 2f64.powi(52) - 1.0
}

/// 130,000 samples of 8 features of different units and offsets: with the intercept above a million numbers.
fn data(strength: f64) -> Result<(Tensor<f64>, Tensor<u32>), gradus_tensor::Error> {
    let (n, d) = (130_000, 8);
    let x = Tensor::from_fn([n, d], |i| {
        let (row, j) = (i[0], i[1]);
        (noise(row * d + j) + j as f64) * 10f64.powi(j as i32 - 3)
    })?;
    let label = |(row, x): (usize, &[f64])| {
        let z: f64 =
            (0..d).map(|j| (x[j] * 10f64.powi(3 - j as i32) - j as f64) * (1.0 - 0.3 * j as f64)).sum();
        u32::from(noise(row + 7_000_000) * 0.5 + 0.5 < sigmoid(strength * z - 0.5))
    };
    let y = x.as_slice().chunks_exact(d).enumerate().map(label).collect();
    Ok((x, y))
}

/// How many standard errors the gradient says that the fit is off.
fn off(fit: &Fit, x: &Tensor<f64>, y: &Tensor<u32>) -> Result<f64, Box<dyn std::error::Error>> {
    let n = y.len() as f64;
    let x = Tensor::concatenate(&[&Tensor::ones([y.len(), 1])?, x], 1)?;
    let theta = Tensor::concatenate(&[&Tensor::from([fit.intercept()]), fit.coefficients()], 0)?;
    let (g, h) = (gradient(&x, &theta, y)?.scale(n), hessian(&x, &theta)?.scale(n));
    let half = h.cholesky()?.solve_lower(&g)?;
    Ok(half.dot(&half)?.sqrt())
}

#[test]
fn the_short_cuts_lead_to_the_maximum() -> Outcome {
    let (x, y) = data(1.0)?;
    let fit = LogisticRegression::new().fit(&x, &y)?;
    assert_eq!(fit.convergence().stop, Stop::Tolerance);
    // Started near, since a part was fitted first.
    assert!(fit.convergence().iterations[0].distance < 100.0, "{}", fit.convergence());
    // The plain gradient has the rounding of columns that are not centred.
    let off = off(&fit, &x, &y)?;
    assert!(off < 1e-6, "{off}");
    // The log-likelihood by the plain formula.
    let z = fit.decision_function(&x)?;
    let y = y.map(f64::from);
    let plain =
        sum_by_two(z.as_slice(), y.as_slice(), |z, y: f64| y * z - z.max(0.0) - (-z.abs()).exp().ln_1p());
    assert!((fit.log_likelihood()? / plain - 1.0).abs() < 1e-12);
    Ok(())
}

#[test]
fn any_number_of_threads_gives_the_same_bits() -> Outcome {
    let (x, y) = data(1.0)?;
    let weights: Vec<f64> = (0..y.len()).map(|i| (i % 4) as f64).collect();
    let model =
        LogisticRegression::new().l2(3.0).sample_weights(&weights).class_weights(ClassWeights::Balanced);
    let fit = |threads| with_threads(threads, || model.fit(&x, &y));
    let (one, three) = (fit(1)?, fit(3)?);
    assert!(one.coefficients().same_bits(three.coefficients()));
    assert_eq!(one.intercept().to_bits(), three.intercept().to_bits());
    assert_eq!(one.convergence(), three.convergence());
    Ok(())
}

#[test]
fn a_part_that_misleads_does_no_harm() -> Outcome {
    let (x, y) = data(1.0)?;
    // Every eighth sample, which are those of the part, has the other label.
    let y: Tensor<u32> =
        y.as_slice().iter().enumerate().map(|(i, y)| if i % 8 == 0 { 1 - y } else { *y }).collect();
    let fit = LogisticRegression::new().fit(&x, &y)?;
    assert_eq!(fit.convergence().stop, Stop::Tolerance);
    assert!(off(&fit, &x, &y)? < 1e-6);
    // And of one class only.
    let y: Tensor<u32> =
        y.as_slice().iter().enumerate().map(|(i, y)| if i % 8 == 0 { 0 } else { *y }).collect();
    assert!(off(&LogisticRegression::new().fit(&x, &y)?, &x, &y)? < 1e-6);
    Ok(())
}

#[test]
fn separation_is_found_in_large_data_too() -> Outcome {
    let (x, _) = data(1.0)?;
    let label = |x: &[f64]| u32::from(x[0] * 1e3 - x[1] * 1e2 + 1.0 > 0.0);
    let y: Tensor<u32> = x.as_slice().chunks_exact(8).map(label).collect();
    match LogisticRegression::new().fit(&x, &y) {
        Err(Error::Separated(found)) => assert!(found.complete && found.feature.is_none()),
        other => panic!("{:?}", other.map(|fit| fit.convergence().clone())),
    }
    Ok(())
}
