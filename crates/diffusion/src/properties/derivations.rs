//! The derivations of the chapters, line by line: many steps at once, the step back, its mean by the noise,
//! the divergence of two Gaussians, and what a step of DDIM keeps.

use crate::{Schedule, closed_form, gaussian_kl, mean_by_noise};
use gradus_formula::{Case, Derivation, Draw, Property};
use std::f64::consts::TAU;

pub(super) fn properties() -> Vec<Property> {
    [all_at_once(), two_steps_as_printed(), step_back(), mean_from_noise(), divergence(), kept_marginal()]
        .iter()
        .map(Derivation::property)
        .collect()
}

/// Mean and variance of what `x` makes of `noises` noises: over every choice of 1 or −1 for them, all equally
/// likely. Such a noise has mean 0 and variance 1, and the two moments of a weighted sum do not ask for more.
fn moments(noises: usize, x: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let sign = |choice: usize, i: usize| if choice >> i & 1 == 0 { 1.0 } else { -1.0 };
    let all: Vec<f64> =
        (0..1 << noises).map(|choice| x(&(0..noises).map(|i| sign(choice, i)).collect::<Vec<_>>())).collect();
    let count = all.len() as f64;
    let mean = all.iter().sum::<f64>() / count;
    vec![mean, all.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count]
}

/// The product of 1 − β over some steps.
fn left(betas: &[f64]) -> f64 {
    betas.iter().map(|beta| 1.0 - beta).product()
}

/// The chain from x₀, one step after the other.
fn chain(betas: &[f64], x0: f64, noises: &[f64]) -> f64 {
    betas.iter().zip(noises).fold(x0, |x, (beta, noise)| (1.0 - beta).sqrt() * x + beta.sqrt() * noise)
}

/// From the chain to the closed form, in mean and variance.
fn all_at_once() -> Derivation {
    Derivation::new(
        "diffusion-closed-form.derivation",
        &["diffusion-closed-form", "diffusion-marginal", "diffusion-alpha-bar"],
        "Mean and variance after t steps",
    )
    .draw(Draw::size("t", 1..=5).limited(1.0..=10.0))
    .draw(Draw::array("beta", 0.001..=0.95, &["t"]).limited(1e-6..=0.999))
    .draw(Draw::real("x0", -5.0..=5.0).limited(-1e3..=1e3))
    .within("rounding", 5e-15)
    .line(
        r"\mathbb E[x_t \mid x_0],\; \operatorname{Var}[x_t \mid x_0], \qquad x_s = \sqrt{\alpha_s}\,
            x_{s-1} + \sqrt{\beta_s}\, \epsilon_{s-1}",
        r"what is wanted; over all $2^t$ paths with noises $\pm 1$, of mean $0$ and variance $1$",
        |case| {
            let (betas, x0) = (&case.array("beta").data, case.real("x0"));
            Ok(moments(betas.len(), |noises| chain(betas, x0, noises)))
        },
    )
    .line(
        r"\sqrt{\alpha_1 \cdots \alpha_t}\; x_0, \qquad \sum_{s=1}^{t} \beta_s\, \alpha_{s+1} \cdots
            \alpha_t",
        r"each step put into the next; the noises are independent, so the squares of their factors add up",
        |case| {
            let (betas, x0) = (&case.array("beta").data, case.real("x0"));
            let term = |s: usize| betas[s] * left(&betas[s + 1..]);
            Ok(vec![left(betas).sqrt() * x0, (0..betas.len()).map(term).sum()])
        },
    )
    .line(
        r"\sqrt{\bar\alpha_t}\; x_0, \qquad \sum_{s=1}^{t} \bigl( \alpha_{s+1} \cdots \alpha_t - \alpha_s
            \cdots \alpha_t \bigr)",
        r"$\beta_s = 1 - \alpha_s$, multiplied out; a letter for the product of all",
        |case| {
            let (betas, x0) = (&case.array("beta").data, case.real("x0"));
            let root: f64 = betas.iter().map(|beta| (1.0 - beta).sqrt()).product();
            let term = |s: usize| left(&betas[s + 1..]) - left(&betas[s..]);
            Ok(vec![root * x0, (0..betas.len()).map(term).sum()])
        },
    )
    .line(
        r"\sqrt{\bar\alpha_t}\; x_0, \qquad 1 - \bar\alpha_t",
        "what a term takes away the term before it has added: the first and the last are left",
        |case| {
            let (betas, x0) = (&case.array("beta").data, case.real("x0"));
            Ok(vec![left(betas).sqrt() * x0, 1.0 - left(betas)])
        },
    )
    .line(
        r"\mathbb E\bigl[\sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\, \bar\epsilon\bigr],\;
            \operatorname{Var}[\,\cdot\,]",
        r"one noise of variance $1$ with the factor $\sqrt{1 - \bar\alpha_t}$ has the same",
        |case| {
            let (betas, x0) = (&case.array("beta").data, case.real("x0"));
            let log = Schedule::given(betas)?.log_alpha_bar(betas.len())?;
            Ok(vec![closed_form(x0, 0.0, log), closed_form(0.0, 1.0, log).powi(2)])
        },
    )
}

/// Two steps, with the notes' lost factor.
fn two_steps_as_printed() -> Derivation {
    let betas = |case: &Case<'_>| [case.real("first"), case.real("second")];
    Derivation::new(
        "diffusion-telescope.derivation-slip",
        &["diffusion-telescope"],
        "A derivation with a wrong line: mean and variance of two steps",
    )
    .draw(Draw::real("x", -5.0..=5.0).limited(-1e3..=1e3))
    .draw(Draw::real("first", 0.01..=0.99).limited(0.0..=1.0))
    .draw(Draw::real("second", 0.01..=0.99).limited(0.0..=1.0))
    .slip(3)
    .within("rounding", 1e-14)
    .line(
        r"\sqrt{\alpha_t}\, x_{t-1} + \sqrt{\beta_t}\, \epsilon_{t-1}, \qquad x_{t-1} =
            \sqrt{\alpha_{t-1}}\, x_{t-2} + \sqrt{\beta_{t-1}}\, \epsilon_{t-2}",
        r"what is wanted: mean and variance; over the four choices of noises $\pm 1$",
        move |case| {
            let (betas, x) = (betas(case), case.real("x"));
            Ok(moments(2, |noises| chain(&betas, x, noises)))
        },
    )
    .line(
        r"\sqrt{\alpha_t \alpha_{t-1}}\, x_{t-2} + \sqrt{\alpha_t \beta_{t-1}}\, \epsilon_{t-2} +
            \sqrt{\beta_t}\, \epsilon_{t-1}",
        "the step before put in, and multiplied out",
        move |case| {
            let ([first, second], x) = (betas(case), case.real("x"));
            let after = 1.0 - second;
            Ok(vec![(after * (1.0 - first)).sqrt() * x, after * first + second])
        },
    )
    .line(
        r"\sqrt{\alpha_t}\, x_{t-2} + \sqrt{1 - \alpha_t}\, \bar\epsilon",
        "two normal noises are one; its variance and the signal’s factor squared make up $1$",
        move |case| {
            let ([_, second], x) = (betas(case), case.real("x"));
            let alpha = 1.0 - second;
            Ok(vec![alpha.sqrt() * x, 1.0 - alpha])
        },
    )
    .line(
        r"\sqrt{1 - \beta_t}\, x_{t-2} + \sqrt{\beta_t}\, \bar\epsilon",
        r"$\alpha_t = 1 - \beta_t$: it has the form of a single step",
        move |case| {
            let ([_, second], x) = (betas(case), case.real("x"));
            Ok(moments(1, |noise| (1.0 - second).sqrt() * x + second.sqrt() * noise[0]))
        },
    )
}

/// What q(xₜ₋₁ | xₜ, x₀) is made of.
struct Known {
    /// αₜ.
    alpha: f64,
    /// ᾱₜ₋₁.
    before: f64,
    x0: f64,
    xt: f64,
}

impl Known {
    fn of(case: &Case<'_>) -> Self {
        let (alpha, before) = (case.real("alpha"), case.real("before"));
        Self { alpha, before, x0: case.real("x0"), xt: case.real("xt") }
    }

    fn beta(&self) -> f64 {
        1.0 - self.alpha
    }

    /// The exponent of the numerator of Bayes' rule, at x for xₜ₋₁.
    fn exponent(&self, x: f64) -> f64 {
        let forward = self.xt - self.alpha.sqrt() * x;
        let prior = x - self.before.sqrt() * self.x0;
        -0.5 * (forward * forward / self.beta() + prior * prior / (1.0 - self.before))
    }

    /// A and B of the completed square.
    fn square(&self) -> [f64; 2] {
        let (beta, noise) = (self.beta(), 1.0 - self.before);
        let b = self.alpha.sqrt() * self.xt / beta + self.before.sqrt() * self.x0 / noise;
        [self.alpha / beta + 1.0 / noise, b]
    }

    /// Two steps that lead there.
    fn schedule(&self) -> gradus_tensor::Result<Schedule> {
        Schedule::given(&[1.0 - self.before, self.beta()])
    }
}

fn known(derivation: Derivation) -> Derivation {
    derivation
        .draw(Draw::real("alpha", 0.1..=0.9).limited(0.1..=0.9))
        .draw(Draw::real("before", 0.1..=0.9).limited(0.1..=0.9))
        .draw(Draw::real("x0", -3.0..=3.0).limited(-4.0..=4.0))
}

/// Mean and variance of the step back, from Bayes' rule.
fn step_back() -> Derivation {
    known(Derivation::new(
        "posterior-mean-var.derivation",
        &["posterior-mean-var"],
        "Mean and variance of the step back when the data is known",
    ))
    .draw(Draw::real("xt", -3.0..=3.0).limited(-4.0..=4.0))
    .costly(4)
    .line(
        r"\mathbb E[x_{t-1} \mid x_t, x_0],\; \operatorname{Var}[x_{t-1} \mid x_t, x_0] 
            \;\text{ of the density }\; \propto q(x_t \mid x_{t-1})\, q(x_{t-1} \mid x_0)",
        "what is wanted, by Bayes’ rule; the integrals computed as sums over a fine grid",
        |case| {
            let known = Known::of(case);
            let grid = (-400..=400).map(|i| f64::from(i) * 0.05);
            let all: Vec<[f64; 2]> = grid.map(|x| [x, known.exponent(x).exp()]).collect();
            let total: f64 = all.iter().map(|[_, w]| w).sum();
            let mean = all.iter().map(|[x, w]| x * w).sum::<f64>() / total;
            let variance = all.iter().map(|[x, w]| (x - mean) * (x - mean) * w).sum::<f64>() / total;
            Ok(vec![mean, variance])
        },
    )
    .within("the grid, and rounding", 2e-14)
    .line(
        r"\arg\max_x E(x),\; -\frac{1}{E''}, \qquad E(x) = -\frac{(x_t - \sqrt{\alpha_t}\, x)^2}{2 \beta_t}
            - \frac{(x - \sqrt{\bar\alpha_{t-1}}\, x_0)^2}{2(1 - \bar\alpha_{t-1})}",
        r"$e^E$ with a parabola $E$ is a Gaussian: its mean is the top, its variance $-1$ over the curvature",
        |case| {
            let known = Known::of(case);
            // Three heights of a parabola say all of it.
            let [low, here, high] = [-1.0, 0.0, 1.0].map(|x| known.exponent(x));
            let (slope, curvature) = (0.5 * (high - low), high - 2.0 * here + low);
            Ok(vec![-slope / curvature, -1.0 / curvature])
        },
    )
    .line(
        r"\frac BA,\; \frac1A, \qquad A = \frac{\alpha_t}{\beta_t} + \frac{1}{1 - \bar\alpha_{t-1}}, \quad
            B = \frac{\sqrt{\alpha_t}\, x_t}{\beta_t}
            + \frac{\sqrt{\bar\alpha_{t-1}}\, x_0}{1 - \bar\alpha_{t-1}}",
        r"sorted by powers, $E = -\tfrac12 (A x^2 - 2Bx) + \dots$, and the square completed",
        |case| {
            let [a, b] = Known::of(case).square();
            Ok(vec![b / a, 1.0 / a])
        },
    )
    .line(
        r"\frac{\beta_t (1 - \bar\alpha_{t-1})}{1 - \bar\alpha_t}\, B,\;
            \frac{\beta_t (1 - \bar\alpha_{t-1})}{1 - \bar\alpha_t}",
        r"one denominator in $A$; over it $\alpha_t (1 - \bar\alpha_{t-1}) + \beta_t = 1 - \bar\alpha_t$",
        |case| {
            let known = Known::of(case);
            let share = known.beta() * (1.0 - known.before) / (1.0 - known.alpha * known.before);
            Ok(vec![share * known.square()[1], share])
        },
    )
    .line(
        r"\frac{\sqrt{\bar\alpha_{t-1}}\, \beta_t}{1 - \bar\alpha_t}\, x_0
            + \frac{\sqrt{\alpha_t}\, (1 - \bar\alpha_{t-1})}{1 - \bar\alpha_t}\, x_t,\;
            \frac{1 - \bar\alpha_{t-1}}{1 - \bar\alpha_t}\, \beta_t",
        r"multiplied out: in each term of $B$ one denominator cancels",
        |case| {
            let known = Known::of(case);
            let back = known.schedule()?.posterior(2)?;
            Ok(vec![back.mean(known.x0, known.xt), back.variance])
        },
    )
}

/// The posterior's mean with the data replaced by what the noise says of it.
fn mean_from_noise() -> Derivation {
    /// xₜ and ε, with αₜ, ᾱₜ₋₁, ᾱₜ.
    fn drawn(case: &Case<'_>) -> [f64; 5] {
        let (alpha, before) = (case.real("alpha"), case.real("before"));
        let (whole, eps) = (alpha * before, case.real("eps"));
        [whole.sqrt() * case.real("x0") + (1.0 - whole).sqrt() * eps, eps, alpha, before, whole]
    }
    known(Derivation::new(
        "eps-mean.derivation",
        &["eps-mean", "posterior-mean-var"],
        "From the data to the noise in the mean of the step back",
    ))
    .draw(Draw::real("eps", -3.0..=3.0).limited(-100.0..=100.0))
    .within("rounding", 1e-14)
    .line(
        r"\tilde\mu_t(x_0, x_t), \qquad x_t = \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\,
                \epsilon",
        r"what is wanted, in $x_t$ and $\epsilon$ alone; here with the $x_0$ that $x_t$ was made of",
        |case| {
            let [xt, _, alpha, before, _] = drawn(case);
            let [a, b] = Known { alpha, before, x0: case.real("x0"), xt }.square();
            Ok(vec![b / a])
        },
    )
    .line(
        r"\frac{\sqrt{\bar\alpha_{t-1}}\, \beta_t}{1 - \bar\alpha_t} \cdot \frac{x_t - \sqrt{1 -
                \bar\alpha_t}\, \epsilon}{\sqrt{\bar\alpha_t}} + \frac{\sqrt{\alpha_t}\, (1 -
                \bar\alpha_{t-1})}{1 - \bar\alpha_t}\, x_t",
        r"$\tilde\mu_t$ written out, and the equation for $x_t$ solved for $x_0$",
        |case| {
            let [xt, eps, alpha, before, whole] = drawn(case);
            let guess = (xt - (1.0 - whole).sqrt() * eps) / whole.sqrt();
            let data = before.sqrt() * (1.0 - alpha) / (1.0 - whole);
            Ok(vec![data * guess + alpha.sqrt() * (1.0 - before) / (1.0 - whole) * xt])
        },
    )
    .line(
        r"\frac{\beta_t + \alpha_t (1 - \bar\alpha_{t-1})}{\sqrt{\alpha_t}\, (1 - \bar\alpha_t)}\, x_t -
                \frac{\beta_t}{\sqrt{\alpha_t} \sqrt{1 - \bar\alpha_t}}\, \epsilon",
        r"sorted by $x_t$ and $\epsilon$; $\sqrt{\bar\alpha_{t-1}/\bar\alpha_t} = 1/\sqrt{\alpha_t}$",
        |case| {
            let [xt, eps, alpha, before, whole] = drawn(case);
            let beta = 1.0 - alpha;
            let state = (beta + alpha * (1.0 - before)) / (alpha.sqrt() * (1.0 - whole));
            Ok(vec![state * xt - beta / (alpha.sqrt() * (1.0 - whole).sqrt()) * eps])
        },
    )
    .line(
        r"\frac{1}{\sqrt{\alpha_t}}\, x_t - \frac{\beta_t}{\sqrt{\alpha_t} \sqrt{1 - \bar\alpha_t}}\,
                \epsilon",
        r"$\beta_t + \alpha_t - \bar\alpha_t = 1 - \bar\alpha_t$, which cancels",
        |case| {
            let [xt, eps, alpha, _, whole] = drawn(case);
            Ok(vec![xt / alpha.sqrt() - (1.0 - alpha) / (alpha.sqrt() * (1.0 - whole).sqrt()) * eps])
        },
    )
    .line(
        r"\frac{1}{\sqrt{\alpha_t}} \left( x_t - \frac{\beta_t}{\sqrt{1 - \bar\alpha_t}}\, \epsilon
                \right)",
        r"$1/\sqrt{\alpha_t}$ taken out",
        |case| {
            let [xt, eps, alpha, _, whole] = drawn(case);
            Ok(vec![mean_by_noise(xt, eps, 1.0 - alpha, whole.ln())])
        },
    )
}

/// The divergence of two Gaussians, from its integral.
fn divergence() -> Derivation {
    /// μ₁, σ₁, μ₂, σ₂.
    fn drawn(case: &Case<'_>) -> [f64; 4] {
        ["mean1", "deviation1", "mean2", "deviation2"].map(|name| case.real(name))
    }
    /// ln p(x)/q(x).
    fn log_ratio([mean1, deviation1, mean2, deviation2]: [f64; 4], x: f64) -> f64 {
        let (one, two) = ((x - mean1) / deviation1, (x - mean2) / deviation2);
        0.5 * ((deviation2 / deviation1).powi(2).ln() - one * one + two * two)
    }
    Derivation::new("gaussian-kl.derivation", &["gaussian-kl"], "The divergence of two Gaussians")
        .draw(Draw::real("mean1", -5.0..=5.0).limited(-100.0..=100.0))
        .draw(Draw::log("deviation1", 0.2..=5.0).limited(0.01..=100.0))
        .draw(Draw::real("mean2", -5.0..=5.0).limited(-100.0..=100.0))
        .draw(Draw::log("deviation2", 0.2..=5.0).limited(0.01..=100.0))
        .costly(2)
        .line(
            r"\int p(x) \ln \frac{p(x)}{q(x)}\, dx, \qquad p = \mathcal N(\mu_1, \sigma_1^2), \quad q =
                \mathcal N(\mu_2, \sigma_2^2)",
            "what is wanted; computed as a sum over a fine grid, twelve deviations to each side",
            |case| {
                let [mean1, deviation1, mean2, deviation2] = drawn(case);
                let log_normal = |x: f64, mean: f64, deviation: f64| {
                    -0.5 * ((x - mean) / deviation).powi(2) - (TAU.sqrt() * deviation).ln()
                };
                let step = 0.1 * deviation1;
                let term = |i: i32| {
                    let x = mean1 + f64::from(i) * step;
                    let log = log_normal(x, mean1, deviation1);
                    log.exp() * (log - log_normal(x, mean2, deviation2)) * step
                };
                Ok(vec![(-120..=120).map(term).sum()])
            },
        )
        .within("the grid, and rounding", 5e-14)
        .line(
            r"\mathbb E_p\, \frac12 \left( \ln \frac{\sigma_2^2}{\sigma_1^2} - \frac{(x -
                \mu_1)^2}{\sigma_1^2} + \frac{(x - \mu_2)^2}{\sigma_2^2} \right)",
            r"the integral is a mean over $p$; the logarithm of a Gaussian is a parabola",
            |case| {
                let all @ [mean, deviation, ..] = drawn(case);
                // A mean over three points that is exact for parabolas: the Gauss–Hermite rule.
                let side = 3f64.sqrt() * deviation;
                let [left, middle, right] = [mean - side, mean, mean + side].map(|x| log_ratio(all, x));
                Ok(vec![(left + 4.0 * middle + right) / 6.0])
            },
        )
        .line(
            r"\frac12 \left( \ln \frac{\sigma_2^2}{\sigma_1^2} - 1 + \frac{\mathbb E_p\bigl( (x - \mu_1) +
                (\mu_1 - \mu_2) \bigr)^2}{\sigma_2^2} \right)",
            r"$\mathbb E_p (x - \mu_1)^2 = \sigma_1^2$; in the other square $\mu_1$ taken away and added",
            |case| {
                let [mean1, deviation1, mean2, deviation2] = drawn(case);
                // With x − μ₁ = ±σ₁, each with probability ½: the same mean, the same variance.
                let square = |side: f64| (side * deviation1 + (mean1 - mean2)).powi(2);
                let logarithm = 2.0 * (deviation2.ln() - deviation1.ln());
                let mean = 0.5 * (square(1.0) + square(-1.0));
                Ok(vec![0.5 * (logarithm - 1.0 + mean / deviation2.powi(2))])
            },
        )
        .line(
            r"\frac12 \left( \ln \frac{\sigma_2^2}{\sigma_1^2} + \frac{\sigma_1^2 + (\mu_1 -
                \mu_2)^2}{\sigma_2^2} - 1 \right)",
            r"multiplied out; the mixed term has the mean $2(\mu_1 - \mu_2)\, \mathbb E_p(x - \mu_1) = 0$",
            |case| {
                let [mean1, deviation1, mean2, deviation2] = drawn(case);
                Ok(vec![gaussian_kl([mean1, deviation1.powi(2)], [mean2, deviation2.powi(2)])])
            },
        )
}

/// Why a step of DDIM leads to the right distribution, for whatever share of fresh noise.
fn kept_marginal() -> Derivation {
    /// x₀, ᾱₛ, ᾱₜ, and σ² = η²·(1 − ᾱₛ)/(1 − ᾱₜ)·(1 − ᾱₜ/ᾱₛ).
    fn drawn(case: &Case<'_>) -> [f64; 4] {
        let (there, between) = (case.real("there"), case.real("between"));
        let here = there * between;
        let posterior = (1.0 - there) / (1.0 - here) * (1.0 - between);
        [case.real("x0"), there, here, case.real("eta").powi(2) * posterior]
    }
    Derivation::new(
        "ddim-sampler.derivation",
        &["ddim-sampler", "diffusion-marginal"],
        "A step of DDIM, the data known, has the mean and the variance of the closed form",
    )
    .draw(Draw::real("there", 0.01..=0.99).limited(0.01..=0.99))
    .draw(Draw::real("between", 0.01..=0.99).limited(0.01..=0.99))
    .draw(Draw::real("eta", 0.0..=1.0).limited(0.0..=1.0))
    .draw(Draw::real("x0", -5.0..=5.0).limited(-1e3..=1e3))
    .within("rounding", 1e-14)
    .line(
        r"\text{mean and variance of } \sqrt{\bar\alpha_s}\, x_0 + \sqrt{1 - \bar\alpha_s - \sigma^2}\,
            \frac{x_t - \sqrt{\bar\alpha_t}\, x_0}{\sqrt{1 - \bar\alpha_t}} + \sigma z, \quad x_t =
            \sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\, \epsilon",
        r"what is wanted; over all choices $\epsilon = \pm 1$, $z = \pm 1$, of mean $0$ and variance $1$",
        |case| {
            let [x0, there, here, fresh] = drawn(case);
            Ok(moments(2, |noises| {
                let xt = here.sqrt() * x0 + (1.0 - here).sqrt() * noises[0];
                let noise = (xt - here.sqrt() * x0) / (1.0 - here).sqrt();
                there.sqrt() * x0 + (1.0 - there - fresh).sqrt() * noise + fresh.sqrt() * noises[1]
            }))
        },
    )
    .line(
        r"\text{mean and variance of } \sqrt{\bar\alpha_s}\, x_0 + \sqrt{1 - \bar\alpha_s - \sigma^2}\,
            \epsilon + \sigma z",
        r"the fraction is the noise that $x_t$ was made with",
        |case| {
            let [x0, there, _, fresh] = drawn(case);
            let (old, new) = ((1.0 - there - fresh).sqrt(), fresh.sqrt());
            Ok(moments(2, |noises| there.sqrt() * x0 + old * noises[0] + new * noises[1]))
        },
    )
    .line(
        r"\sqrt{\bar\alpha_s}\, x_0, \qquad (1 - \bar\alpha_s - \sigma^2) + \sigma^2",
        r"$\epsilon$ and $z$ are independent: the squares of their factors add up",
        |case| {
            let [x0, there, _, fresh] = drawn(case);
            Ok(vec![there.sqrt() * x0, (1.0 - there - fresh) + fresh])
        },
    )
    .line(r"\sqrt{\bar\alpha_s}\, x_0, \qquad 1 - \bar\alpha_s", r"$\sigma$ is free", |case| {
        let [x0, there, ..] = drawn(case);
        Ok(Schedule::given(&[1.0 - there])?.between(0, 1)?.carry([x0, 0.0]).to_vec())
    })
    .line(
        r"a\, x_0 + b \sqrt{\bar\alpha_t}\, x_0, \qquad b^2 (1 - \bar\alpha_t) + \sigma^2",
        r"and so it is with the three numbers $a$, $b$, $\sigma^2$ that the library keeps of a step",
        |case| {
            let [x0, there, ..] = drawn(case);
            let schedule = Schedule::given(&[1.0 - there, 1.0 - case.real("between")])?;
            let (jump, here) = (schedule.jump(1, 2, case.real("eta"))?, schedule.between(0, 2)?);
            Ok(vec![
                jump.data * x0 + jump.state * here.scale * x0,
                jump.state.powi(2) * here.variance + jump.variance,
            ])
        },
    )
}
