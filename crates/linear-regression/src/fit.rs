//! A fit with its options: which method, why, and what came of it.

use crate::design::{Data, powers};
use crate::double::Double;
use crate::solve::{self, Solution, rank};
use crate::statistics::Statistics;
use crate::tall::{Solved, Tall, Triangle};
use crate::{Error, Result};
use gradus_tensor::{Tensor, Transpose};
use std::fmt;
use std::sync::OnceLock;

/// How the least-squares problem is solved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    /// The fastest that loses nothing; the fit says which and why: [`CholeskyQr`](Self::CholeskyQr) for at least four samples a
    /// column and a condition number of up to 10⁵, else [`Qr`](Self::Qr), and [`Svd`](Self::Svd) for dependent columns.
    #[default]
    Auto,
    /// XᵀX and Cholesky: the fastest, and the condition number squared.
    NormalEquations,
    /// QR by Cholesky's factor of XᵀX, taken twice, with iterative refinement: made of products, and exact as
    /// [`Qr`](Self::Qr) is. Refuses a condition number above 10⁵.
    CholeskyQr,
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
            Method::CholeskyQr => "Method::CholeskyQr",
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

    /// With a weight for each sample: k is the sample k times, 0 its absence. The degrees of freedom of the statistics count each
    /// sample of a weight above 0 once.
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
        if let Some(fit) = self.fit_tall(x, y)? {
            return Ok(fit);
        }
        let data = Data::new(x, y, self.weights.as_deref())?;
        let design = data.design(self.intercept, self.ridge)?;
        let (m, p) = (design.a.dims()[0], design.a.dims()[1]);
        let tolerance = self.tolerance.unwrap_or(m.max(p) as f64 * f64::EPSILON);
        let cheap = match self.method {
            Method::Auto => p > 0 && m >= TALL * p,
            method => method == Method::CholeskyQr && m >= p,
        };
        let safe = if cheap { solve::cholesky_qr(&design.a)? } else { None };
        // Where the product settles the question, the reflections are not made.
        let safe = safe.filter(|factors| rank(&factors.s, tolerance) == p);
        let by_products = safe.is_some();
        let factors = safe.map_or_else(|| solve::householder(&design.a), Ok)?;
        let rank = rank(&factors.s, tolerance);
        let condition = if rank == p { solve::condition(&factors.s) } else { f64::INFINITY };
        let (method, reason) = self.choose([m, p, rank], condition, by_products);
        let deficient = || Error::RankDeficient { method: method.name(), rank, columns: p, tolerance };
        let solution = match method {
            Method::Svd => None,
            _ if rank < p && method != Method::Precise => return Err(deficient()),
            Method::CholeskyQr if !by_products => {
                return Err(Error::IllConditioned { method: method.name(), condition, limit: solve::SAFE });
            }
            Method::NormalEquations => Some(solve::normal(&design.a, &design.b)?.ok_or_else(deficient)?),
            Method::Precise => Some(rounded(solve::precise(&columns(&design.a)?, &columns(&design.b)?)?)?),
            Method::Auto | Method::CholeskyQr | Method::Qr => {
                Some(solve::refined(&design.a, &design.b, &factors)?)
            }
        };
        let solution = match solution {
            Some(Solution { theta, root, residuals, leverage }) => {
                let (rows, unit) = (design.scale.insert_axis(1)?, design.unit.map(|u| 1.0 / u));
                let theta = theta.mul(&rows)?.mul(&unit)?;
                let residuals = residuals.map(|rest| rest.mul(&unit)).transpose()?;
                Solution { theta, root: root.mul(&rows)?, residuals, leverage }
            }
            None => self.smallest_norm(&data, rank)?,
        };
        Fit::new(self, data, solution, Facts { method, reason, rank, condition, tolerance })
    }

    /// Many samples, well conditioned, without weights or a ridge: the same solutions by passes over X that copy nothing.
    /// `None` for all else, and wherever a number is not finite or extreme: the general way says what is wrong.
    fn fit_tall(&self, x: &Tensor<f64>, y: &Tensor<f64>) -> Result<Option<Fit>> {
        let (&[n, d], &[m, ..]) = (x.dims(), y.dims()) else { return Ok(None) };
        let p = d + usize::from(self.intercept);
        let plain = self.weights.is_none() && self.ridge == 0.0 && y.rank() <= 2 && n == m && d > 0;
        if !plain || n < TALL * p || n * p < MANY {
            return Ok(None);
        }
        let y = if y.rank() == 1 { y.insert_axis(1)? } else { y.clone() };
        let tall = Tall::new(x, &y, self.intercept)?;
        let tolerance = self.tolerance.unwrap_or(n as f64 * f64::EPSILON);
        let up_to = |triangle: Option<Triangle>, limit: f64| {
            triangle.filter(|t| solve::condition(&t.s) <= limit && rank(&t.s, tolerance) == p)
        };
        let products = match self.method {
            Method::NormalEquations => up_to(tall.by_gram()?, solve::SAFE),
            Method::Auto => up_to(tall.by_gram()?, MILD),
            _ => None,
        };
        let (method, reason, solved, s) = match products {
            Some(t) if self.method == Method::NormalEquations => {
                (Method::NormalEquations, "asked for".into(), Tall::solve(&t)?, t.s)
            }
            Some(t) => {
                let condition = solve::condition(&t.s);
                let reason = format!(
                    "XᵀX is safe: condition number {condition:.1e}, {n} rows for {p} columns; refined"
                );
                (Method::NormalEquations, reason, tall.refine(&t)?, t.s)
            }
            None if matches!(self.method, Method::Auto | Method::Qr) => {
                let Some(t) = up_to(tall.by_reflections()?, solve::SAFE) else { return Ok(None) };
                let reason = self.choose([n, p, p], solve::condition(&t.s), false).1;
                (Method::Qr, reason, tall.refine(&t)?, t.s)
            }
            None => return Ok(None),
        };
        let facts = Facts { method, reason, rank: p, condition: solve::condition(&s), tolerance };
        let data = Data { x: x.clone(), y, weights: None, total: n as f64 };
        let Solved { theta, root, residuals } = solved;
        Fit::new(self, data, Solution { theta, root, residuals, leverage: None }, facts).map(Some)
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

    fn choose(&self, [m, p, rank]: [usize; 3], condition: f64, by_products: bool) -> (Method, String) {
        if self.method != Method::Auto {
            return (self.method, "asked for".into());
        }
        if rank < p {
            return (
                Method::Svd,
                format!("the columns are dependent (rank {rank} of {p}): the solution of smallest norm"),
            );
        }
        if by_products {
            return (
                Method::CholeskyQr,
                format!("XᵀX is safe: condition number {condition:.1e}, {m} rows for {p} columns"),
            );
        }
        let why = if m < TALL * p {
            format!("only {m} rows for {p} columns")
        } else {
            "too large for XᵀX".into()
        };
        (Method::Qr, format!("the columns are independent: condition number {condition:.1e}, {why}"))
    }

    /// The solution of smallest ‖θ‖ (the intercept not counted), on centred data, with `rank` singular values kept.
    fn smallest_norm(&self, data: &Data, rank: usize) -> Result<Solution> {
        let (n, d) = (data.x.dims()[0], data.x.dims()[1]);
        let p = d + usize::from(self.intercept);
        // Independent columns have one solution, so that scaling changes nothing but the rounding; of dependent ones, scaled
        // columns would have another shortest solution: they are scaled together.
        let independent = rank == p;
        let together = |each: Tensor<f64>| -> Tensor<f64> {
            let least = each.as_slice().iter().copied().fold(f64::INFINITY, f64::min);
            if independent { each } else { each.map(|_| least) }
        };
        let (outer, unit) = (together(powers(&data.x)?), powers(&data.y)?);
        let (x, y) = (data.x.mul(&outer)?, data.y.mul(&unit)?);
        let roots = match &data.weights {
            Some(w) => w.iter().map(|w| w.sqrt()).collect::<Tensor<f64>>(),
            None => Tensor::ones([n])?,
        };
        let share = roots.map(|r| r * r / data.total).insert_axis(1)?;
        let mean = |t: &Tensor<f64>| {
            if self.intercept { t.mul(&share)?.sum_axis(0) } else { Tensor::zeros([t.dims()[1]]) }
        };
        let (x_mean, y_mean) = (mean(&x)?, mean(&y)?);
        let roots = roots.insert_axis(1)?;
        let mut a = x.sub(&x_mean)?.mul(&roots)?;
        let mut b = y.sub(&y_mean)?.mul(&roots)?;
        if self.ridge > 0.0 {
            a = Tensor::concatenate(&[&a, &Tensor::eye(d)?.scale(self.ridge.sqrt()).mul(&outer)?], 0)?;
            b = b.pad(0, 0, d, 0.0)?;
        }
        let inner = together(powers(&a)?);
        let svd = a.mul(&inner)?.svd()?;
        let kept = (rank - usize::from(self.intercept).min(rank)).min(svd.s.len());
        let taken = |(i, &s): (usize, &f64)| if i < kept && s > 0.0 { 1.0 / s } else { 0.0 };
        let inverse: Tensor<f64> = svd.s.as_slice().iter().enumerate().map(taken).collect();
        // V·diag(1/s), `[D, r]`.
        let v = svd.vt.transpose()?.mul(&inner.insert_axis(1)?)?.mul(&inverse)?;
        let theta = v.matmul(&svd.u.product(Transpose::Yes, &b, Transpose::No)?)?;
        let left = svd.u.mul(&inverse.map(|v| if v > 0.0 { 1.0 } else { 0.0 }))?.slice(0, 0..n)?;
        let constant = if self.intercept { 1.0 } else { 0.0 };
        let leverage =
            solve::lengths(&left)?.iter().zip(share.as_slice()).map(|(l, s)| l + constant * s).collect();
        let (rows, back) = (outer.insert_axis(1)?, unit.map(|u| 1.0 / u));
        let (slopes, spread) = (theta.mul(&rows)?.mul(&back)?, v.mul(&rows)?);
        let (theta, root) = if self.intercept {
            // The intercept is ȳ − x̄θ, and ȳ varies on its own: [1/√Σw, −x̄V; 0, V].
            let row = x_mean.insert_axis(0)?;
            let first = y_mean.insert_axis(0)?.sub(&row.matmul(&theta)?)?.mul(&back)?;
            let top = row.matmul(&v)?.neg().pad(1, 1, 0, (1.0 / data.total).sqrt())?;
            let root = Tensor::concatenate(&[&top, &spread.pad(1, 1, 0, 0.0)?], 0)?;
            (Tensor::concatenate(&[&first, &slopes], 0)?, root)
        } else {
            (slopes, spread)
        };
        Ok(Solution { theta, root, residuals: None, leverage: Some(leverage) })
    }
}

/// From so many numbers on, X is not copied.
const MANY: usize = 1 << 16;

/// The condition number up to which even what is made of Cholesky's factor alone, the standard errors, has ten digits.
const MILD: f64 = 1e3;

/// So many samples a column make the products cheaper than the reflections, whatever becomes of them.
const TALL: usize = 4;

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
        residuals: Some(matrix(&precise.residuals)?),
        leverage: Some(precise.leverage.into_iter().map(Double::value).collect()),
    })
}

/// A polynomial by least squares in double-double arithmetic, its powers too: coefficients from the constant up, and
/// the statistics of the fit.
///
/// The powers of a number that is a double are not doubles: a matrix of rounded powers is another problem. On NIST's Filip its
/// exact solution has 7.7 correct digits, this one 13. Coefficients, residuals and all that [`Statistics`] holds have their digits,
/// leverages too; what is computed for new samples, [`Fit::predict`] and [`Fit::intervals`], takes their powers as doubles, and
/// has lost those of the condition number. [`Fit::condition`] is NaN: no singular values are computed.
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
    let solution = rounded(solve::precise(&a, &b)?)?;
    let facts = Facts {
        method: Method::Precise,
        reason: "asked for, with the powers in double-double too".into(),
        rank: degree + 1,
        condition: f64::NAN,
        tolerance: 1e-28,
    };
    Fit::new(&LinearRegression::new(), data, solution, facts)
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
    /// Where the method did not make them, they are made when they are asked for.
    residuals: OnceLock<Tensor<f64>>,
    /// Of the samples, `[N]`; where nothing was lost by waiting, they are made when they are asked for.
    leverage: Option<Vec<f64>>,
    pub(crate) ridge: f64,
    facts: Facts,
}

impl Fit {
    fn new(model: &LinearRegression, data: Data, solution: Solution, facts: Facts) -> Result<Self> {
        let n = data.x.dims()[0];
        let Solution { theta, root, residuals, mut leverage } = solution;
        if !theta.is_finite() {
            return Err(Error::Overflow { what: "a coefficient" });
        }
        // Without the ridge's rows.
        leverage.iter_mut().for_each(|all| all.truncate(n));
        // The solver's residuals are better than a difference of rounded predictions, where no weight was multiplied in.
        let residuals = match residuals.filter(|_| data.weights.is_none()) {
            Some(known) => OnceLock::from(known.slice(0, 0..n)?),
            None => OnceLock::new(),
        };
        Ok(Self {
            intercept: model.intercept,
            theta,
            root,
            residuals,
            leverage,
            x: data.x,
            y: data.y,
            weights: data.weights,
            ridge: model.ridge,
            facts,
        })
    }

    /// The diagonal of the projection on X's columns.
    pub(crate) fn leverage(&self) -> Result<Vec<f64>> {
        match &self.leverage {
            Some(known) => Ok(known.clone()),
            None => crate::statistics::quadratic_forms(self, &self.x),
        }
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
        Ok(x.affine(&self.coefficients(), &self.intercept())?)
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

    /// The residuals y − ŷ of the samples it was fitted to, `[N, K]`. Methods that do not refine have not made them: the first
    /// call does, in one pass over X.
    pub fn residuals(&self) -> &Tensor<f64> {
        self.residuals.get_or_init(|| match self.predict_matrix(&self.x).map(|fitted| self.y.sub(&fitted)) {
            Ok(Ok(rest)) => rest,
            _ => unreachable!("the sizes are those of the fit"),
        })
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
