//! Groups: parameters that learn at another rate, or do not decay.

use crate::Result;
use crate::error::not_negative;
use gradus_tensor::Shape;

type Belongs = dyn Fn(&str, &Shape) -> bool + Send + Sync;

/// Parameters with settings of their own, told by their dotted names and shapes. Of several groups that a parameter belongs to, the
/// first counts.
///
/// ```
/// use gradus_autograd::{Parameters, Var, parameters};
/// use gradus_optimization::{Group, Optimizer, Sgd};
/// use gradus_tensor::{Scalar, Tensor};
/// struct Net<T: Scalar> { weight: Var<T>, bias: Var<T> }
/// parameters!(Net<T> { weight, bias });
/// let net = Net { weight: Var::parameter(Tensor::from([8.0f64])), bias: Var::parameter(Tensor::from([8.0])) };
/// let loss = net.weight.add(&net.bias)?.scale(0.0)?.sum()?; // of no slope: only the decay moves them
/// let gradients = loss.backward()?;
/// drop(loss);
/// let mut sgd = Sgd::new(0.5).weight_decay(0.25).group(Group::suffix("bias").weight_decay(0.0));
/// sgd.step(&net, &gradients)?;
/// assert_eq!(net.weight.item()?, 7.0); // 8 − ½·¼·8
/// assert_eq!(net.bias.item()?, 8.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Group {
    belongs: Box<Belongs>,
    factor: f64,
    decay: Option<f64>,
}

impl Group {
    /// The parameters of which this is true, by dotted name and shape.
    pub fn matching(belongs: impl Fn(&str, &Shape) -> bool + Send + Sync + 'static) -> Self {
        Self { belongs: Box::new(belongs), factor: 1.0, decay: None }
    }

    /// The parameters whose names begin so: `encoder.`.
    pub fn prefix(prefix: impl Into<String>) -> Self {
        let prefix = prefix.into();
        Self::matching(move |name, _| name.starts_with(&prefix))
    }

    /// The parameters whose names end so: `bias`.
    pub fn suffix(suffix: impl Into<String>) -> Self {
        let suffix = suffix.into();
        Self::matching(move |name, _| name.ends_with(&suffix))
    }

    /// The parameters of at most one dimension: biases, and the gains of norms. Their decay is usually 0.
    pub fn vectors() -> Self {
        Self::matching(|_, shape| shape.rank() <= 1)
    }

    /// Learns at this many times the optimiser's rate, whatever a schedule makes of it.
    #[must_use]
    pub fn rate_factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// Decays by this λ instead of the optimiser's.
    #[must_use]
    pub fn weight_decay(mut self, lambda: f64) -> Self {
        self.decay = Some(lambda);
        self
    }

    pub(crate) fn check(&self) -> Result<()> {
        not_negative("rate_factor of a group", self.factor)?;
        self.decay.map_or(Ok(()), |lambda| not_negative("weight_decay of a group", lambda))
    }
}

impl std::fmt::Debug for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Group")
            .field("factor", &self.factor)
            .field("decay", &self.decay)
            .finish_non_exhaustive()
    }
}

/// What holds for one parameter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    pub(crate) rate: f64,
    pub(crate) decay: f64,
}

impl Setting {
    /// The same, as the first group changes it that the parameter belongs to.
    pub(crate) fn within(self, groups: &[Group], name: &str, shape: &Shape) -> Self {
        match groups.iter().find(|group| (group.belongs)(name, shape)) {
            Some(group) => Self { rate: self.rate * group.factor, decay: group.decay.unwrap_or(self.decay) },
            None => self,
        }
    }
}
