//! Every topic crate of the workspace, with its formulas and properties. A new crate is one line here.

use gradus_formula::{Formula, Property};

/// A topic crate: its name, formulas and properties.
pub struct Topic {
    /// The package: `gradus-activations`.
    pub package: &'static str,
    /// Its formulas, in the order of its chapter.
    pub formulas: &'static [Formula],
    /// Its properties and refutations, in parts.
    pub properties: &'static [fn() -> Vec<Property>],
}

impl Topic {
    /// All of its properties and refutations.
    pub fn properties(&self) -> Vec<Property> {
        self.properties.iter().flat_map(|part| part()).collect()
    }
}

macro_rules! topics {
    (@ $krate:ident) => { $krate::FORMULAS };
    (@ $krate:ident no formulas) => { &[] };
    ($($package:literal => $krate:ident $(($($none:tt)+))?),* $(,)?) => {
        &[$(Topic {
            package: $package,
            formulas: topics!(@ $krate $($($none)+)?),
            properties: $krate::PROPERTIES,
        }),*]
    };
}

/// The topic crates in the order of the book, and before them those with properties and no formulas.
pub fn topics() -> &'static [Topic] {
    topics! {
        "gradus-tensor" => gradus_tensor (no formulas),
        "gradus-autograd" => gradus_autograd,
        "gradus-linear-regression" => gradus_linear_regression,
        "gradus-activations" => gradus_activations,
        "gradus-losses" => gradus_losses,
        "gradus-logistic-regression" => gradus_logistic_regression,
        "gradus-initialization" => gradus_initialization,
        "gradus-layers" => gradus_layers,
        "gradus-cnn" => gradus_cnn,
        "gradus-lstm" => gradus_lstm,
        "gradus-optimization" => gradus_optimization,
        "gradus-training" => gradus_training,
        "gradus-transformer" => gradus_transformer,
        "gradus-architectures" => gradus_architectures,
        "gradus-diffusion" => gradus_diffusion,
    }
}
