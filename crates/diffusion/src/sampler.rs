//! Drawing: from noise, step by step, back to data.

use crate::denoiser::labels_of;
use crate::symbols::{ALPHA, ALPHA_BAR, BETA, EPS_THETA, SIGMA, T, XT};
use crate::{Bridge, Denoiser, Diffusion, Prediction, ReverseVariance};
use gradus_autograd::{Mode, Op, Var, no_grad};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_initialization::Stream;
use gradus_tensor::{Error, Result, Scalar, Tensor};

pub(crate) const FORMULA: Formula = Formula {
    id: "ddpm-sampler",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Ancestral sampling",
    latex: r"x_{t-1} = \frac{1}{\sqrt{\alpha_t}} \left( x_t - \frac{\beta_t}{\sqrt{1 - \bar\alpha_t}}\, \epsilon_\theta(x_t, t) \right) + \sigma_t z, \qquad
        z \sim \mathcal N(0, I) \text{ for } t > 1, \quad z = 0 \text{ for } t = 1",
    unicode: "xₜ₋₁ = (xₜ − βₜ/√(1 − ᾱₜ)·ε_θ(xₜ, t))/√αₜ + σₜ·z, z ~ N(0, I), at t = 1 z = 0",
    symbols: &[XT, ALPHA, BETA, ALPHA_BAR, EPS_THETA, SIGMA, T],
    source: "Ho, Jain & Abbeel 2020, algorithm 2",
    item: item!(struct Sampler),
    chapter: "diffusion-sampling",
    printed: None,
};

pub(crate) const FORMULA_GUIDANCE: Formula = Formula {
    id: "classifier-free-guidance",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Guidance without a classifier",
    latex: r"\tilde\epsilon = \epsilon_\theta(x_t, t) + w\, \bigl( \epsilon_\theta(x_t, t, c) - \epsilon_\theta(x_t, t) \bigr)",
    unicode: "ε̃ = ε_θ(xₜ, t) + w·(ε_θ(xₜ, t, c) − ε_θ(xₜ, t))",
    symbols: &[
        EPS_THETA,
        XT,
        Symbol {
            latex: "c",
            code: "labels",
            meaning: "the class that is asked for",
            shape: "[N]",
            unit: "class",
        },
        Symbol {
            latex: "w",
            code: "guidance",
            meaning: "how strongly: 0 not at all, 1 as learned, above 1 more than that",
            shape: "[]",
            unit: "1",
        },
    ],
    source: "Ho & Salimans 2022, §3.2, eq. 6, whose w is this one less 1",
    item: item!(struct Sampler),
    chapter: "diffusion-sampling",
    printed: None,
};

/// A way back from noise to data.
///
/// **Formula** `ddpm-sampler`: through all steps, xₜ₋₁ = μ_θ(xₜ, t) + σₜ·z; `ddim-sampler`: through some of them, with a share η of the noise ([`Bridge`]);
/// `classifier-free-guidance`: ε(∅) + w·(ε(c) − ε(∅)).
///
/// **Shapes**: samples `[N, …]`. **Units**: those of the data.
///
/// **Numerics**: each step is a·x̂₀ + b·xₜ + σ·z. Where x̂₀ is [clipped](Self::clip), the noise that is kept is that of the clipped x̂₀: both follow from it. What is drawn at a step, and for a
/// sample, follows from the seed, the step and the sample's place: a larger batch begins with the same samples.
///
/// **Errors**: more steps than there are, η outside of 0..=1; in drawing, what the network refuses.
///
/// **Source**: Ho, Jain & Abbeel 2020, algorithm 2; Song, Meng & Ermon 2021, §4; Ho & Salimans 2022.
///
/// ```
/// use gradus_diffusion::{Diffusion, GaussianMixture, Prediction, ReverseVariance, Sampler, Schedule};
/// use gradus_tensor::Tensor;
/// let diffusion = Diffusion::new(Schedule::linear(200, 1e-3, 0.1)?, Prediction::Noise);
/// let data = GaussianMixture::new(&[1.0], Tensor::from([[3.0]]), &[0.25])?; // N(3, ½²)
/// let sampler = Sampler::ddpm(diffusion.clone(), ReverseVariance::Posterior);
/// let drawn = sampler.draw::<f64>(&data.denoiser(&diffusion), [4000, 1], None, 7)?;
/// let (mean, variance) = (drawn.mean()?, drawn.variance_axis(0, 1)?.item()?);
/// assert!((mean - 3.0).abs() < 0.03 && (variance - 0.25).abs() < 0.02);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Sampler {
    diffusion: Diffusion,
    /// Where it stops on the way, from T down; 0 comes after the last.
    steps: Vec<usize>,
    rule: Rule,
    clip: Option<[f64; 2]>,
    guidance: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Rule {
    Ancestral(ReverseVariance),
    Implicit(f64),
}

impl Sampler {
    /// Ancestral sampling: through all T steps, with noise of this variance.
    #[must_use]
    pub fn ddpm(diffusion: Diffusion, variance: ReverseVariance) -> Self {
        let steps = (1..=diffusion.schedule.steps()).rev().collect();
        Self { diffusion, steps, rule: Rule::Ancestral(variance), clip: None, guidance: 1.0 }
    }

    /// DDIM: through so many of the steps, with η times the posterior's deviation. With η = 0 the way is straight: what comes out follows from where it begins.
    ///
    /// # Errors
    /// If there are not so many steps, or η is outside of 0..=1.
    pub fn ddim(diffusion: Diffusion, steps: usize, eta: f64) -> Result<Self> {
        let steps = diffusion.schedule.spaced(steps)?;
        Self::through(diffusion, steps, eta)
    }

    /// DDIM through these steps, which fall.
    ///
    /// # Errors
    /// If they do not fall, or are not among 1 to T; if η is outside of 0..=1.
    pub fn through(diffusion: Diffusion, steps: Vec<usize>, eta: f64) -> Result<Self> {
        let mut before = diffusion.schedule.steps() + 1;
        for &step in &steps {
            if step == 0 || step >= before {
                let allowed = format!("1 to {}: the steps fall", before - 1);
                return Err(Error::argument("sampler", "step", step, allowed));
            }
            before = step;
        }
        let Some(&last) = steps.last() else {
            return Err(Error::argument("sampler", "steps", 0, "at least 1"));
        };
        diffusion.schedule.jump(0, last, eta)?;
        Ok(Self { diffusion, steps, rule: Rule::Implicit(eta), clip: None, guidance: 1.0 })
    }

    /// With x̂₀ kept within these bounds at every step: for data that is known to be.
    ///
    /// # Errors
    /// If the lower is not below the upper.
    pub fn clip(self, low: f64, high: f64) -> Result<Self> {
        if !(low < high) {
            return Err(Error::argument(
                "sampler",
                "clip",
                format!("{low} to {high}"),
                "a lower and a greater number",
            ));
        }
        Ok(Self { clip: Some([low, high]), ..self })
    }

    /// With guidance towards the labels of w: 0 not at all, 1 (the default) as learned, more for samples that are more typical and less diverse. Anything but 0 and 1 asks the network twice.
    ///
    /// # Errors
    /// If w is not finite.
    pub fn guidance(self, w: f64) -> Result<Self> {
        if !w.is_finite() {
            return Err(Error::argument("sampler", "guidance", w, "a finite number"));
        }
        Ok(Self { guidance: w, ..self })
    }

    /// Where it stops on the way, from the first to the last; 0, the data, comes after it.
    #[must_use]
    pub fn steps(&self) -> &[usize] {
        &self.steps
    }

    /// The steps that it takes: each from t to s, how, and how much noise it draws.
    ///
    /// # Errors
    /// None: the steps are those of the schedule.
    pub fn plan(&self) -> Result<Vec<(usize, usize, Bridge)>> {
        let next = self.steps.iter().skip(1).copied().chain([0]);
        let schedule = &self.diffusion.schedule;
        let step = |(&t, s): (&usize, usize)| {
            let bridge = match self.rule {
                Rule::Implicit(eta) => schedule.jump(s, t, eta)?,
                // The last step draws nothing.
                Rule::Ancestral(variance) => match schedule.reverse(t, variance)? {
                    bridge if s == 0 => Bridge { variance: 0.0, ..bridge },
                    bridge => bridge,
                },
            };
            Ok((t, s, bridge))
        };
        self.steps.iter().zip(next).map(step).collect()
    }

    /// Draws samples of this shape, `[N, …]`, each of its class where labels are given.
    ///
    /// # Errors
    /// If the network fails, or the labels do not fit.
    pub fn draw<S: Scalar>(
        &self,
        net: &(impl Denoiser<S> + ?Sized),
        shape: impl AsRef<[usize]>,
        labels: Option<&[u32]>,
        seed: u64,
    ) -> Result<Tensor<S>> {
        let mut way = self.begin(net, shape, labels, seed)?;
        for stage in way.by_ref() {
            stage?;
        }
        Ok(way.x)
    }

    /// Begins to draw: an iterator over the steps.
    ///
    /// ```
    /// use gradus_diffusion::{Diffusion, GaussianMixture, Prediction, Sampler, Schedule};
    /// use gradus_tensor::Tensor;
    /// let diffusion = Diffusion::new(Schedule::cosine(100)?, Prediction::Velocity);
    /// let net = GaussianMixture::new(&[1.0], Tensor::from([[3.0]]), &[0.0])?.denoiser(&diffusion);
    /// let sampler = Sampler::ddim(diffusion, 4, 0.0)?;
    /// for stage in sampler.begin::<f64, _>(&net, [1, 1], None, 1)? {
    ///     let stage = stage?;
    ///     assert!((stage.data.item()? - 3.0).abs() < 1e-12); // it knows from the first step on
    /// }
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the labels do not fit the network.
    pub fn begin<'a, S: Scalar, D: Denoiser<S> + ?Sized>(
        &'a self,
        net: &'a D,
        shape: impl AsRef<[usize]>,
        labels: Option<&[u32]>,
        seed: u64,
    ) -> Result<Drawing<'a, S, D>> {
        let start = Stream::new(seed).substream(self.diffusion.schedule.steps() as u64).normal(shape)?;
        self.begin_from(net, start, labels, seed)
    }

    /// Begins at these numbers in place of random ones: they take the place of the data at the first of the [steps](Self::steps).
    ///
    /// # Errors
    /// If the labels do not fit the network.
    pub fn begin_from<'a, S: Scalar, D: Denoiser<S> + ?Sized>(
        &'a self,
        net: &'a D,
        start: Tensor<S>,
        labels: Option<&[u32]>,
        seed: u64,
    ) -> Result<Drawing<'a, S, D>> {
        let labels = labels_of("sampler", start.shape().size(0)?, net.classes(), labels)?;
        Ok(Drawing { sampler: self, net, labels, seed, x: start, plan: self.plan()?.into_iter() })
    }

    /// What the network says, guided.
    fn said<S: Scalar>(
        &self,
        net: &(impl Denoiser<S> + ?Sized),
        (x, t): (&Tensor<S>, usize),
        labels: Option<&[u32]>,
    ) -> Result<Tensor<S>> {
        let samples = x.dims()[0];
        let ask = |x: &Tensor<S>, labels: Option<&[u32]>| {
            let steps = vec![t; x.dims()[0]];
            let said = no_grad(|| net.denoise(&Var::constant(x.clone()), &steps, labels, &mut Mode::Eval))?;
            let said = said.value();
            if said.shape() != x.shape() {
                return Err(Error::mismatch(
                    "sampler",
                    x.shape(),
                    said.shape(),
                    "an output of the input's shape",
                ));
            }
            Ok(said)
        };
        let none = vec![net.classes(); samples];
        match labels {
            Some(labels) if self.guidance == 0.0 && labels != none => ask(x, Some(&none)),
            Some(labels) if self.guidance != 1.0 && labels != none => {
                // Both at once: a larger batch costs less than two.
                let said = ask(&Tensor::concatenate(&[x, x], 0)?, Some(&[labels, &none].concat()))?;
                let [with, without] = [said.slice(0, 0..samples)?, said.slice(0, samples..2 * samples)?];
                let weights = [self.guidance, 1.0 - self.guidance];
                crate::Mix::new(vec![weights; samples]).eval([&with, &without])
            }
            labels => ask(x, labels),
        }
    }
}

/// A drawing on its way: an iterator over its steps. Dropped before its end, it is simply not finished.
#[derive(Debug)]
pub struct Drawing<'a, S: Scalar, D: ?Sized> {
    sampler: &'a Sampler,
    net: &'a D,
    labels: Option<Vec<u32>>,
    seed: u64,
    x: Tensor<S>,
    plan: std::vec::IntoIter<(usize, usize, Bridge)>,
}

/// Where a drawing is after a step.
#[derive(Debug, Clone)]
pub struct Stage<S: Scalar> {
    /// The step that was gone to: 0 after the last.
    pub t: usize,
    /// xₜ.
    pub x: Tensor<S>,
    /// x̂₀, what the network believed the data to be, one step before.
    pub data: Tensor<S>,
}

impl<S: Scalar, D: Denoiser<S> + ?Sized> Drawing<'_, S, D> {
    fn step(&mut self, t: usize, s: usize, bridge: Bridge) -> Result<Stage<S>> {
        let Diffusion { schedule, prediction, .. } = &self.sampler.diffusion;
        let steps = vec![t; self.x.dims()[0]];
        let said = self.sampler.said(self.net, (&self.x, t), self.labels.as_deref())?;
        let mut data = prediction.convert(Prediction::Data, schedule, (&self.x, &steps), &said)?;
        if let Some(clip) = self.sampler.clip {
            let [low, high] = clip.map(S::of);
            data.map_in_place(|x| x.max_or_nan(low).min_or_nan(high));
        }
        let mut x = schedule.mix(&steps, |_| Ok([bridge.data, bridge.state]))?.eval([&data, &self.x])?;
        if bridge.variance > 0.0 {
            let noise = Stream::new(self.seed).substream(s as u64).normal(x.shape())?;
            x.add_scaled(S::of(bridge.variance.sqrt()), &noise)?;
        }
        self.x = x.clone();
        Ok(Stage { t: s, x, data })
    }
}

impl<S: Scalar, D: Denoiser<S> + ?Sized> Iterator for Drawing<'_, S, D> {
    type Item = Result<Stage<S>>;

    fn next(&mut self) -> Option<Self::Item> {
        let (t, s, bridge) = self.plan.next()?;
        Some(self.step(t, s, bridge))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.plan.size_hint()
    }
}

impl<S: Scalar, D: Denoiser<S> + ?Sized> ExactSizeIterator for Drawing<'_, S, D> {}
