//! W5: logistic regression of two classes on tall data, f64, to the optimum.

use crate::timing::{Bench, Work};
use gradus_benches::normal;
use gradus_logistic_regression::LogisticRegression;
use gradus_tensor::{Tensor, math::sigmoid};
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};

pub(crate) fn run(bench: &Bench) -> crate::Result {
    let (case, n, d) = ("logreg100kx50", 100_000, 50);
    if !bench.wants(case) {
        return Ok(());
    }
    let x = normal::<f64>([n, d])?;
    let theta = normal::<f64>([d, 1])?.scale(0.5);
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let draw = |z: &f64| u32::from(rng.random::<f64>() < sigmoid(*z));
    let y: Tensor<u32> = x.matmul(&theta)?.as_slice().iter().map(draw).collect();
    let work = Work { bytes: 8 * n * d, ..Work::default() };
    // scikit-learn's gradient at a tolerance of 1e-8 is at most 1e-8 a sample; here the distance in standard errors, which is nearer.
    for (name, tolerance) in [("gradus", 1e-6), ("gradus-tol1e-8", 1e-8)] {
        let model = LogisticRegression::new().l2(1.0).tolerance(tolerance);
        bench.case(case, name, work, 1, || Ok(model.fit(&x, &y)?))?;
        if std::env::var_os("GRADUS_W5_TRACE").is_some() {
            eprintln!("{}", model.fit(&x, &y)?.convergence());
        }
    }
    Ok(())
}
