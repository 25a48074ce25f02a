//! A fit with its options: which method, why, and what came of it.

use crate::design::Data;
use crate::double::Double;
use crate::solve::{self, Solution, rank, singular_values};
use crate::statistics::Statistics;
use crate::{Error, Result};
use gradus_tensor::Tensor;
use std::fmt;

/// How the least-squares problem is solved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// QR where the columns are independent, else SVD; the fit says which and why.
    #[default]
    Auto,
    /// XᵀX and Cholesky: the fastest, and the condition number squared.
    NormalEquations,
    /// Householder QR with iterative refinement.
    Qr,
    /// Singular value decomposition: the solution of smallest norm, whatever the rank.
    Svd,
    /// QR in double-double arithmetic.
    Precise,
}

impl Method {
    fn name(self) -> &'static str {
        match self {
            Method::Auto => "Method::Auto",
            Method::NormalEquations => "Method::NormalEquations",
            Method::Qr => "Method::Qr",
            Method::Svd => "Method::Svd",
            Method::Precise => "Method::Precise",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Linear regression by least squares, to be configured and fitted.
///
/// ```
/// use gradus_linear_regression::LinearRegression;
/// use gradus_tensor::Tensor;
/// let x = Tensor::from([[0.0], [1.0], [2.0], [3.0]]);
/// let y = Tensor::from([1.0, 3.1, 4.9, 7.0]);
/// let fit = LinearRegression::new().fit(&x, &y)?;
/// assert!((fit.coefficients().get([0, 0])? - 1.98).abs() < 1e-12);
/// assert!((fit.intercept().get([0])? - 1.03).abs() < 1e-12);
/// println!("{}: {}", fit.method(), fit.reason());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct LinearRegression {
    intercept: bool,
    method: Method,
    ridge: f64,
    weights: Option<Vec<f64>>,
    tolerance: Option<f64>,
}

impl Default for LinearRegression {
    fn default() -> Self {
        Self { intercept: true, method: Method::Auto, ridge: 0.0, weights: None, tolerance: None }
    }
}

impl LinearRegression {
    /// With an intercept, the automatic method, no ridge, no weights.
    pub fn new() -> Self {
        Self::default()
    }

    /// With or without an intercept.
    #[must_use]
    pub fn intercept(mut self, yes: bool) -> Self {
        self.intercept = yes;
        self
    }

    /// With this method.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    /// With λ‖θ‖² added to the sum of squares; the intercept is not penalised.
    #[must_use]
    pub fn ridge(mut self, lambda: f64) -> Self {
        self.ridge = lambda;
        self
    }

    /// With a weight for each sample: k is the sample k times, 0 its absence.
    #[must_use]
    pub fn weights(mut self, weights: &[f64]) -> Self {
        self.weights = Some(weights.to_vec());
        self
    }

    /// With this tolerance: singular values of the scaled columns below it, relative to the largest, count as 0. The
    /// default is max(N, P) · 2⁻⁵².
    #[must_use]
    pub fn rank_tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = Some(tolerance);
        self
    }

    /// Fits y, `[N]` or `[N, K]` for several targets, to X, `[N, D]`.
    ///
    /// # Errors
    /// Shapes that do not fit, no samples, a NaN or an infinity, an option outside its domain, a deficient rank where the
    /// method can't have one.
    pub fn fit(&self, x: &Tensor<f64>, y: &Tensor<f64>) -> Result<Fit> {
        self.check_options()?;
        let data = Data::new(x, y, self.weights.as_deref())?;
        let design = data.design(self.intercept, self.ridge)?;
        let (m, p) = (design.a.dims()[0], design.a.dims()[1]);
        let tolerance = self.tolerance.unwrap_or(m.max(p) as f64 * f64::EPSILON);
        let s = singular_values(&design.a)?;
        let rank = rank(&s, tolerance);
        let condition = match (s.first(), s.last()) {
            (Some(&first), Some(&last)) if rank == p => first / last,
            (None, _) => 1.0,
            _ => f64::INFINITY,
        };
        let (method, reason) = self.choose(rank, p, condition);
        let deficient = Error::RankDeficient { method: method.name(), rank, columns: p, tolerance };
        let solution = match method {
            Method::Svd => None,
            _ if rank < p && method != Method::Precise => return Err(deficient),
            Method::NormalEquations => Some(solve::normal(&design.a, &design.b)?.ok_or(deficient)?),
            Method::Precise => Some(rounded(solve::precise(&columns(&design.a)?, &columns(&design.b)?)?)?),
            Method::Auto | Method::Qr => Some(solve::qr(&design.a, &design.b)?),
        };
        let (theta, root, residuals) = match solution {
            Some(Solution { theta, root, residuals }) => {
                let rows = design.scale.iter().copied().collect::<Tensor<f64>>().insert_axis(1)?;
                (theta.mul(&rows)?, root.mul(&rows)?, Some(residuals))
            }
            None => {
                let (theta, root) = self.smallest_norm(&data, rank)?;
                (theta, root, None)
            }
        };
        Fit::new(self, data, theta, root, residuals, Facts { method, reason, rank, condition, tolerance })
    }

    fn check_options(&self) -> Result<()> {
        if !(self.ridge >= 0.0 && self.ridge.is_finite()) {
            let value = self.ridge.to_string();
            return Err(Error::Option { name: "ridge", value, allowed: "finite and at least 0" });
        }
        match self.tolerance {
            Some(t) if !(0.0..1.0).contains(&t) => {
                Err(Error::Option { name: "rank_tolerance", value: t.to_string(), allowed: "0..1" })
            }
            _ => Ok(()),
        }
    }

    fn choose(&self, rank: usize, p: usize, condition: f64) -> (Method, String) {
        if self.method != Method::Auto {
            return (self.method, "asked for".into());
        }
        if rank < p {
            return (
                Method::Svd,
                format!("the columns are dependent (rank {rank} of {p}): the solution of smallest norm"),
            );
        }
        (Method::Qr, format!("the columns are independent (condition number {condition:.1e})"))
    }

    /// The solution of smallest ‖θ‖ (the intercept not counted), on centred data, with `rank` singular values kept.
    fn smallest_norm(&self, data: &Data, rank: usize) -> Result<(Tensor<f64>, Tensor<f64>)> {
        let (n, d) = (data.x.dims()[0], data.x.dims()[1]);
        let roots = match &data.weights {
            Some(w) => w.iter().map(|w| w.sqrt()).collect::<Tensor<f64>>(),
            None => Tensor::ones([n])?,
        };
        let share = roots.map(|r| r * r / data.total).insert_axis(1)?;
        let mean = |t: &Tensor<f64>| {
            if self.intercept { t.mul(&share)?.sum_axis(0) } else { Tensor::zeros([t.dims()[1]]) }
        };
        let (x_mean, y_mean) = (mean(&data.x)?, mean(&data.y)?);
        let roots = roots.insert_axis(1)?;
        let mut a = data.x.sub(&x_mean)?.mul(&roots)?;
        let mut b = data.y.sub(&y_mean)?.mul(&roots)?;
        if self.ridge > 0.0 {
            a = Tensor::concatenate(&[&a, &Tensor::eye(d)?.scale(self.ridge.sqrt())], 0)?;
            b = b.pad(0, 0, d, 0.0)?;
        }
        // Independent columns have one solution, so that scaling changes nothing but the rounding; of dependent ones, scaled
        // columns would have another shortest solution.
        let p = d + usize::from(self.intercept);
        let lengths = a.map(|v| v * v).sum_axis(0)?.sqrt();
        let power =
            |l: f64| if rank == p && l > 0.0 && l.is_finite() { (-l.log2().ceil()).exp2() } else { 1.0 };
        let scale = lengths.map(power);
        let svd = a.mul(&scale)?.svd()?;
        let kept = (rank - usize::from(self.intercept).min(rank)).min(svd.s.len());
        let inverse: Tensor<f64> = svd
            .s
            .as_slice()
            .iter()
            .enumerate()
            .map(|(i, &s)| if i < kept && s > 0.0 { 1.0 / s } else { 0.0 })
            .collect();
        // V·diag(1/s), `[D, r]`.
        let v = svd.vt.transpose()?.mul(&scale.insert_axis(1)?)?.mul(&inverse)?;
        let theta =
            v.matmul(&svd.u.product(gradus_tensor::Transpose::Yes, &b, gradus_tensor::Transpose::No)?)?;
        if !self.intercept {
            return Ok((theta, v));
        }
        // The intercept is ȳ − x̄θ, and ȳ varies on its own: [1/√Σw, −x̄V; 0, V].
        let row = x_mean.insert_axis(0)?;
        let first = y_mean.insert_axis(0)?.sub(&row.matmul(&theta)?)?;
        let top = row.matmul(&v)?.neg().pad(1, 1, 0, (1.0 / data.total).sqrt())?;
        let root = Tensor::concatenate(&[&top, &v.pad(1, 1, 0, 0.0)?], 0)?;
        Ok((Tensor::concatenate(&[&first, &theta], 0)?, root))
    }
}

fn columns(a: &Tensor<f64>) -> Result<Vec<Vec<Double>>> {
    let turned = a.transpose()?;
    Ok(turned.rows()?.map(|row| row.as_slice().iter().map(|&v| Double::from(v)).collect()).collect())
}

/// Columns of double-doubles as a matrix of doubles.
fn matrix(columns: &[Vec<Double>]) -> Result<Tensor<f64>> {
    let (k, m) = (columns.len(), columns.first().map_or(0, Vec::len));
    Ok(Tensor::from_fn([m, k], |i| columns[i[1]][i[0]].value())?)
}

fn rounded(precise: solve::Precise) -> Result<Solution> {
    Ok(Solution {
        theta: matrix(&precise.theta)?,
        root: matrix(&precise.root)?,
        residuals: matrix(&precise.residuals)?,
    })
}

/// A polynomial by least squares in double-double arithmetic, its powers too: coefficients from the constant up, and
/// the statistics of the fit.
///
/// The powers of a number that is a double are not doubles: a matrix of rounded powers is another problem. On NIST's Filip its
/// exact solution has 7.7 correct digits, this one 13.
///
/// ```
/// use gradus_linear_regression::fit_polynomial;
/// let x = [0.0, 1.0, 2.0, 3.0];
/// let fit = fit_polynomial(&x, &x.map(|x| 1.0 - x + 2.0 * x * x), 2)?;
/// assert_eq!(fit.parameters().as_slice(), [1.0, -1.0, 2.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`LinearRegression::fit`]: other lengths, no samples, numbers that are not finite, fewer different x than coefficients.
pub fn fit_polynomial(x: &[f64], y: &[f64], degree: usize) -> Result<Fit> {
    let (xt, yt) = (x.iter().copied().collect::<Tensor<f64>>(), y.iter().copied().collect::<Tensor<f64>>());
    // The rounded powers, for predictions and the statistics that need no more.
    let powers = Tensor::from_fn([x.len(), degree], |i| x[i[0]].powi(i[1] as i32 + 1))?;
    Data::new(&xt.insert_axis(1)?, &yt, None)?;
    let data = Data::new(&powers, &yt, None)?;
    let base: Vec<Double> = x.iter().map(|&v| Double::from(v)).collect();
    let mut a = vec![vec![Double::ONE; x.len()]];
    for j in 0..degree {
        a.push(a[j].iter().zip(&base).map(|(&p, &x)| p * x).collect());
    }
    if x.len() <= degree {
        let (method, columns) = ("fit_polynomial", degree + 1);
        return Err(Error::RankDeficient { method, rank: x.len(), columns, tolerance: 0.0 });
    }
    let b = vec![y.iter().map(|&v| Double::from(v)).collect::<Vec<_>>()];
    let Solution { theta, root, residuals } = rounded(solve::precise(&a, &b)?)?;
    let facts = Facts {
        method: Method::Precise,
        reason: "asked for, with the powers in double-double too".into(),
        rank: degree + 1,
        condition: f64::NAN,
        tolerance: 1e-28,
    };
    Fit::new(&LinearRegression::new(), data, theta, root, Some(residuals), facts)
}

/// How a fit was made.
#[derive(Debug, Clone)]
struct Facts {
    method: Method,
    reason: String,
    rank: usize,
    condition: f64,
    tolerance: f64,
}

/// A fitted linear model.
#[derive(Debug, Clone)]
pub struct Fit {
    intercept: bool,
    /// `[P, K]`, the intercept first if there is one.
    theta: Tensor<f64>,
    /// B with the parameters' covariance = variance · B·Bᵀ, `[P, rank]`.
    pub(crate) root: Tensor<f64>,
    pub(crate) x: Tensor<f64>,
    pub(crate) y: Tensor<f64>,
    pub(crate) weights: Option<Vec<f64>>,
    pub(crate) residuals: Tensor<f64>,
    pub(crate) ridge: f64,
    facts: Facts,
}

impl Fit {
    fn new(
        model: &LinearRegression,
        data: Data,
        theta: Tensor<f64>,
        root: Tensor<f64>,
        residuals: Option<Tensor<f64>>,
        facts: Facts,
    ) -> Result<Self> {
        let n = data.x.dims()[0];
        let mut fit = Self {
            intercept: model.intercept,
            theta,
            root,
            residuals: data.y.clone(),
            x: data.x,
            y: data.y,
            weights: data.weights,
            ridge: model.ridge,
            facts,
        };
        fit.residuals = match residuals {
            // The solver's are better than a difference of rounded predictions, where no weight was multiplied in.
            Some(r) if fit.weights.is_none() => r.slice(0, 0..n)?,
            _ => fit.y.sub(&fit.predict_matrix(&fit.x)?)?,
        };
        Ok(fit)
    }

    fn predict_matrix(&self, x: &Tensor<f64>) -> Result<Tensor<f64>> {
        let d = self.x.dims()[1];
        if x.rank() != 2 || x.dims()[1] != d {
            return Err(Error::Shape {
                what: "X",
                expected: format!("[N, {d}], as it was fitted to"),
                got: x.shape(),
            });
        }
        Ok(x.matmul(&self.coefficients())?.add(&self.intercept())?)
    }

    /// The predictions for new samples, `[N, K]`.
    ///
    /// # Errors
    /// If X has another number of columns than was fitted.
    pub fn predict(&self, x: &Tensor<f64>) -> Result<Tensor<f64>> {
        self.predict_matrix(x)
    }

    /// The coefficients, `[D, K]`, the intercept not among them.
    pub fn coefficients(&self) -> Tensor<f64> {
        let start = usize::from(self.intercept);
        self.theta.slice(0, start..self.theta.dims()[0]).unwrap_or_else(|_| self.theta.clone())
    }

    /// The intercepts, `[K]`, 0 without.
    pub fn intercept(&self) -> Tensor<f64> {
        let zeros = || vec![0.0; self.theta.dims()[1]].into();
        if self.intercept { self.theta.select(0, 0).unwrap_or_else(|_| zeros()) } else { zeros() }
    }

    /// All parameters, `[P, K]`, the intercept first if there is one.
    pub fn parameters(&self) -> &Tensor<f64> {
        &self.theta
    }

    /// The residuals y − ŷ of the samples it was fitted to, `[N, K]`.
    pub fn residuals(&self) -> &Tensor<f64> {
        &self.residuals
    }

    /// How many independent columns there are, the intercept's among them.
    pub fn rank(&self) -> usize {
        self.facts.rank
    }

    /// The condition number of the columns, each scaled to length 1 (to a factor of 2); ∞ for dependent ones.
    pub fn condition(&self) -> f64 {
        self.facts.condition
    }

    /// The tolerance that the rank was found with.
    pub fn rank_tolerance(&self) -> f64 {
        self.facts.tolerance
    }

    /// The method that was used.
    pub fn method(&self) -> Method {
        self.facts.method
    }

    /// Why it was used.
    pub fn reason(&self) -> &str {
        &self.facts.reason
    }

    /// Whether there is an intercept.
    pub fn has_intercept(&self) -> bool {
        self.intercept
    }

    /// The statistics of the fit, for one target.
    ///
    /// # Errors
    /// If there are not more samples than independent columns, a ridge, or no such target.
    pub fn statistics(&self, target: usize) -> Result<Statistics> {
        Statistics::of(self, target)
    }
}
