//! W4: linear regression in closed form on tall data, f64.

use crate::timing::{Bench, Work};
use gradus_benches::normal;
use gradus_linear_regression::{LinearRegression, Method};

pub(crate) fn run(bench: &Bench) -> crate::Result {
    for (case, n, d) in [("linreg1Mx50", 1_000_000, 50), ("linreg100kx200", 100_000, 200)] {
        if !bench.wants(case) {
            continue;
        }
        let x = normal::<f64>([n, d])?;
        let noise = normal::<f64>([n])?.scale(0.1);
        let y = x.matmul(&normal([d, 1])?)?.remove_axis(1)?.add(&noise)?;
        let work = Work { flop: n * d * (d + 1), bytes: 8 * n * (d + 1), ..Work::default() };
        let methods = [("normal", Method::NormalEquations), ("qr", Method::Qr), ("auto", Method::Auto)];
        for (name, method) in methods {
            let model = LinearRegression::new().intercept(false).method(method);
            bench.case(case, &format!("gradus-{name}"), work, 1, || Ok(model.fit(&x, &y)?))?;
        }
    }
    Ok(())
}
