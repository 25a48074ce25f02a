//! What to write next: from logits to a token.

use crate::CachedGpt;
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::{Error, Result, Scalar};
use rand::{Rng, RngExt};

pub(crate) const FORMULA: Formula = Formula {
    id: "token-sampling",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Sampling the next token",
    latex: r"p_i = \frac{e^{s_i/\tau}}{\sum_{j \in A} e^{s_j/\tau}} \quad (i \in A), \qquad p_i = 0 \quad (i \notin A)",
    unicode: "pᵢ = exp(sᵢ/τ) / Σ_{j ∈ A} exp(sⱼ/τ) for the tokens A that are kept, 0 for the others",
    symbols: &[
        Symbol {
            latex: "s",
            code: "logits",
            meaning: "the scores of all tokens",
            shape: "[V]",
            unit: "nats",
        },
        Symbol {
            latex: r"\tau",
            code: "temperature",
            meaning: "the temperature: below 1 sharper, above 1 flatter, 0 the largest score alone",
            shape: "[]",
            unit: "1",
        },
        Symbol {
            latex: "A",
            code: "top_k, top_p",
            meaning: "what is kept: the k most probable, or the fewest that together have the probability p",
            shape: "a set",
            unit: "tokens",
        },
    ],
    source: "Fan, Lewis & Dauphin 2018, §5.3 (top-k); Holtzman et al. 2020, §3.1 (top-p)",
    item: item!(struct Sampler),
    chapter: "masks",
    printed: None,
};

/// How the next token is chosen.
///
/// **Formula** `token-sampling`: pᵢ ∝ exp(sᵢ/τ) over the tokens that are kept. Of both limits the narrower holds; the probabilities of top-p are those at
/// the temperature.
///
/// **Units**: probabilities. **Numerics**: in `f64`, less the largest score. Of equal scores the first tokens are kept.
///
/// **Errors**: a temperature below 0, a top-k of 0, a top-p outside (0, 1], logits without a largest one.
///
/// **Source**: Fan, Lewis & Dauphin 2018, §5.3; Holtzman et al. 2020, §3.1.
///
/// ```
/// use gradus_transformer::Sampler;
/// let logits = [3f64.ln(), 0.0, 4f64.ln(), 2f64.ln()]; // 0.3, 0.1, 0.4, 0.2
/// let near = |sampler: Sampler, expected: [f64; 4]| -> gradus_tensor::Result<bool> {
///     Ok(sampler.probabilities(&logits)?.iter().zip(expected).all(|(p, e)| (p - e).abs() < 1e-15))
/// };
/// assert!(near(Sampler::default(), [0.3, 0.1, 0.4, 0.2])?);
/// assert!(near(Sampler { top_k: Some(2), ..Sampler::default() }, [3.0 / 7.0, 0.0, 4.0 / 7.0, 0.0])?);
/// assert!(near(Sampler { top_p: Some(0.5), ..Sampler::default() }, [3.0 / 7.0, 0.0, 4.0 / 7.0, 0.0])?);
/// assert!(near(Sampler::greedy(), [0.0, 0.0, 1.0, 0.0])?);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampler {
    /// τ; 0 takes the largest score.
    pub temperature: f64,
    /// Only so many of the most probable tokens.
    pub top_k: Option<usize>,
    /// Only the fewest of the most probable tokens that together have this probability.
    pub top_p: Option<f64>,
}

impl Default for Sampler {
    fn default() -> Self {
        Self { temperature: 1.0, top_k: None, top_p: None }
    }
}

impl Sampler {
    /// The most probable token, always.
    #[must_use]
    pub fn greedy() -> Self {
        Self { temperature: 0.0, ..Self::default() }
    }

    /// The probability of every token.
    ///
    /// # Errors
    /// If a setting is out of its range, or the logits have no largest one: there are none, one is NaN or ∞, or all are −∞.
    pub fn probabilities<T: Scalar>(&self, logits: &[T]) -> Result<Vec<f64>> {
        let op = "sampler";
        if !(self.temperature >= 0.0 && self.temperature.is_finite()) {
            return Err(Error::argument(op, "temperature", self.temperature, "finite, at least 0"));
        }
        if self.top_k == Some(0) {
            return Err(Error::argument(op, "top_k", 0, "at least 1"));
        }
        if let Some(p) = self.top_p
            && !(p > 0.0 && p <= 1.0)
        {
            return Err(Error::argument(op, "top_p", p, "above 0, at most 1"));
        }
        let scores: Vec<f64> = logits.iter().map(|&s| s.as_f64()).collect();
        let largest = scores.iter().fold(f64::NEG_INFINITY, |a, &b| if a >= b || a.is_nan() { a } else { b });
        if !largest.is_finite() {
            return Err(Error::argument(op, "largest logit", largest, "finite"));
        }
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
        let mut p = vec![0.0; scores.len()];
        if self.temperature == 0.0 {
            p[order[0]] = 1.0;
            return Ok(p);
        }
        let weight = |i: usize| ((scores[i] - largest) / self.temperature).exp();
        order.truncate(self.top_k.unwrap_or(usize::MAX));
        if let Some(wanted) = self.top_p {
            let total: f64 = (0..scores.len()).map(weight).sum();
            let mut sum = 0.0;
            let enough = order.iter().position(|&i| {
                sum += weight(i);
                sum >= wanted * total
            });
            order.truncate(enough.map_or(usize::MAX, |last| last + 1));
        }
        let total: f64 = order.iter().map(|&i| weight(i)).sum();
        order.into_iter().for_each(|i| p[i] = weight(i) / total);
        Ok(p)
    }

    /// A token, drawn with these probabilities.
    ///
    /// # Errors
    /// As [`probabilities`](Self::probabilities).
    pub fn pick<T: Scalar>(&self, logits: &[T], rng: &mut (impl Rng + ?Sized)) -> Result<u32> {
        let p = self.probabilities(logits)?;
        let mut left: f64 = rng.random();
        let mut last = 0;
        for (i, &p) in p.iter().enumerate().filter(|&(_, &p)| p > 0.0) {
            last = i;
            left -= p;
            if left < 0.0 {
                break;
            }
        }
        Ok(last as u32)
    }
}

/// Tokens as they are written, one after the other. Made by [`CachedGpt::generate`].
pub struct Generation<'a, T: Scalar, R: Rng> {
    model: &'a mut CachedGpt<T>,
    sampler: Sampler,
    rng: R,
    stop: Vec<u32>,
    left: usize,
    /// What has been written or given, as much as the context holds.
    history: Vec<u32>,
    /// How much of it the model has not read.
    unread: usize,
}

impl<T: Scalar> CachedGpt<T> {
    /// Writes on after a text, without an end; [`longest`](Generation::longest) and [`stop`](Generation::stop) give one.
    ///
    /// What the model has read so far is forgotten. Where the context is full, the last half of it is read again, and the writing goes on.
    ///
    /// ```
    /// use gradus_transformer::{Gpt, GptShape, Sampler};
    /// use rand::{SeedableRng, rngs::ChaCha8Rng};
    /// let shape = GptShape { tokens: 20, context: 8, layers: 1, heads: 2, width: 16, dropout: 0.0 };
    /// let rng = &mut ChaCha8Rng::seed_from_u64(1);
    /// let mut model = Gpt::<f32>::new(shape, rng)?.cached()?;
    /// let text: Vec<u32> = model.generate(&[3, 4], Sampler::default(), rng).longest(30).collect::<Result<_, _>>()?;
    /// assert_eq!(text.len(), 30);
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    pub fn generate<R: Rng>(&mut self, prompt: &[u32], sampler: Sampler, rng: R) -> Generation<'_, T, R> {
        self.clear();
        let history = prompt.to_vec();
        Generation {
            model: self,
            sampler,
            rng,
            stop: Vec::new(),
            left: usize::MAX,
            unread: history.len(),
            history,
        }
    }
}

impl<T: Scalar, R: Rng> Generation<'_, T, R> {
    /// At most so many tokens.
    #[must_use]
    pub fn longest(self, tokens: usize) -> Self {
        Self { left: tokens, ..self }
    }

    /// Ends before one of these tokens.
    #[must_use]
    pub fn stop(self, tokens: &[u32]) -> Self {
        Self { stop: tokens.to_vec(), ..self }
    }

    fn write(&mut self) -> Result<u32> {
        let context = self.model.shape().context;
        if self.model.len() + self.unread > context {
            let keep = (context / 2).max(1).min(self.history.len());
            self.history.drain(..self.history.len() - keep);
            self.model.clear();
            self.unread = keep;
        }
        let logits = self.model.push(&self.history[self.history.len() - self.unread..])?;
        self.unread = 0;
        let token = self.sampler.pick(logits.as_slice(), &mut self.rng)?;
        self.history.push(token);
        self.unread = 1;
        Ok(token)
    }
}

impl<T: Scalar, R: Rng> Iterator for Generation<'_, T, R> {
    type Item = Result<u32>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        let token = self.write();
        if !matches!(&token, Ok(token) if !self.stop.contains(token)) {
            self.left = 0;
        }
        match token {
            Ok(token) if self.stop.contains(&token) => None,
            other => Some(other),
        }
    }
}
