//! One visitor over parameters and buffers, in a fixed order, under dotted names: optimisers, checkpoints,
//! counts and summaries all use it.

use crate::{Error, Var};
use gradus_tensor::{Scalar, Tensor};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

/// A tensor that belongs to a layer but is not learned: running statistics. Shared, behind a lock.
#[derive(Debug, Clone)]
pub struct Buffer<T: Scalar = f32>(Arc<RwLock<Tensor<T>>>);

impl<T: Scalar> Buffer<T> {
    /// A buffer with this value.
    pub fn new(value: Tensor<T>) -> Self {
        Self(Arc::new(RwLock::new(value)))
    }

    /// The value; shares the buffer's memory.
    pub fn value(&self) -> Tensor<T> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes the value.
    pub fn update<R>(&self, f: impl FnOnce(&mut Tensor<T>) -> R) -> R {
        f(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A parameter or a buffer, to be read.
pub enum Slot<'a, T: Scalar> {
    /// Learned.
    Parameter(&'a Var<T>),
    /// Not learned.
    Buffer(&'a Buffer<T>),
}

/// A parameter or a buffer, to be replaced: tied to another, say.
pub enum SlotMut<'a, T: Scalar> {
    /// Learned.
    Parameter(&'a mut Var<T>),
    /// Not learned.
    Buffer(&'a mut Buffer<T>),
}

impl<T: Scalar> Slot<'_, T> {
    /// The value.
    pub fn value(&self) -> Tensor<T> {
        match self {
            Slot::Parameter(p) => p.value(),
            Slot::Buffer(b) => b.value(),
        }
    }

    fn write(&self, value: Tensor<T>) {
        match self {
            Slot::Parameter(p) => p.update(|old| *old = value),
            Slot::Buffer(b) => b.update(|old| *old = value),
        }
    }
}

/// A dotted name while it is being walked: `layer1.0.weight`.
#[derive(Debug, Default)]
pub struct Name(String);

impl Name {
    /// Runs `f` with a part appended.
    pub fn scope<R>(&mut self, part: &str, f: impl FnOnce(&mut Self) -> R) -> R {
        let length = self.push(part);
        let result = f(self);
        self.0.truncate(length);
        result
    }

    /// Appends a part; the length before.
    fn push(&mut self, part: &str) -> usize {
        let length = self.0.len();
        if length > 0 {
            self.0.push('.');
        }
        self.0.push_str(part);
        length
    }

    /// The name so far.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Something that has parameters and buffers. [`parameters!`](crate::parameters) writes it for a struct.
pub trait Parameters<T: Scalar> {
    /// Shows every parameter and buffer with its dotted name, always in the same order.
    fn visit(&self, name: &mut Name, see: &mut dyn FnMut(&str, Slot<'_, T>));

    /// The same, to replace them.
    fn visit_mut(&mut self, name: &mut Name, see: &mut dyn FnMut(&str, SlotMut<'_, T>));

    /// The parameters with their names; one that is tied, under two names, once, under its first.
    fn named_parameters(&self) -> Vec<(String, Var<T>)> {
        named(&|see| self.visit(&mut Name::default(), see))
    }

    /// How many numbers are learned.
    fn parameter_count(&self) -> usize {
        self.named_parameters().iter().map(|(_, p)| p.shape().elements()).sum()
    }

    /// The values of all parameters and buffers, by name.
    fn state(&self) -> BTreeMap<String, Tensor<T>> {
        state(&|see| self.visit(&mut Name::default(), see))
    }

    /// Sets all parameters and buffers: every name of both sides must be there, with its shape, or nothing changes.
    ///
    /// # Errors
    /// Which name is missing, unknown or of another shape.
    fn load_state(&self, state: &BTreeMap<String, Tensor<T>>) -> crate::Result<()> {
        load(&|see| self.visit(&mut Name::default(), see), state)
    }
}

/// A visit to something, of which the functions below need not know what it is: they are compiled once, not once a layer.
type Visit<'a, T> = &'a dyn Fn(&mut dyn FnMut(&str, Slot<'_, T>));

fn named<T: Scalar>(visit: Visit<'_, T>) -> Vec<(String, Var<T>)> {
    let mut out = Vec::new();
    let mut seen = BTreeSet::new();
    visit(&mut |name, slot| {
        if let Slot::Parameter(p) = slot
            && seen.insert(p.id())
        {
            out.push((name.to_owned(), p.clone()));
        }
    });
    out
}

fn state<T: Scalar>(visit: Visit<'_, T>) -> BTreeMap<String, Tensor<T>> {
    let mut out = BTreeMap::new();
    visit(&mut |name, slot| {
        out.insert(name.to_owned(), slot.value());
    });
    out
}

fn load<T: Scalar>(visit: Visit<'_, T>, given: &BTreeMap<String, Tensor<T>>) -> crate::Result<()> {
    let own = state(visit);
    for (name, value) in &own {
        let given = given.get(name).ok_or_else(|| Error::Missing { name: name.clone() })?;
        if given.shape() != value.shape() {
            let (expected, got) = (Box::new(value.shape()), Box::new(given.shape()));
            return Err(Error::StateShape { name: name.clone(), expected, got });
        }
    }
    if let Some(name) = given.keys().find(|name| !own.contains_key(*name)) {
        let common = |a: &str| a.chars().zip(name.chars()).take_while(|(x, y)| x == y).count();
        let nearest = own.keys().max_by_key(|k| common(k)).cloned().unwrap_or_default();
        return Err(Error::Unknown { name: name.clone(), nearest });
    }
    visit(&mut |name, slot| {
        if let Some(value) = given.get(name) {
            slot.write(value.clone());
        }
    });
    Ok(())
}

impl<T: Scalar> Parameters<T> for Var<T> {
    fn visit(&self, name: &mut Name, see: &mut dyn FnMut(&str, Slot<'_, T>)) {
        see(name.as_str(), Slot::Parameter(self));
    }

    fn visit_mut(&mut self, name: &mut Name, see: &mut dyn FnMut(&str, SlotMut<'_, T>)) {
        see(name.as_str(), SlotMut::Parameter(self));
    }
}

impl<T: Scalar> Parameters<T> for Buffer<T> {
    fn visit(&self, name: &mut Name, see: &mut dyn FnMut(&str, Slot<'_, T>)) {
        see(name.as_str(), Slot::Buffer(self));
    }

    fn visit_mut(&mut self, name: &mut Name, see: &mut dyn FnMut(&str, SlotMut<'_, T>)) {
        see(name.as_str(), SlotMut::Buffer(self));
    }
}

impl<T: Scalar, P: Parameters<T>> Parameters<T> for Option<P> {
    fn visit(&self, name: &mut Name, see: &mut dyn FnMut(&str, Slot<'_, T>)) {
        self.iter().for_each(|p| p.visit(name, see));
    }

    fn visit_mut(&mut self, name: &mut Name, see: &mut dyn FnMut(&str, SlotMut<'_, T>)) {
        self.iter_mut().for_each(|p| p.visit_mut(name, see));
    }
}

impl<T: Scalar, P: Parameters<T> + ?Sized> Parameters<T> for Box<P> {
    fn visit(&self, name: &mut Name, see: &mut dyn FnMut(&str, Slot<'_, T>)) {
        (**self).visit(name, see);
    }

    fn visit_mut(&mut self, name: &mut Name, see: &mut dyn FnMut(&str, SlotMut<'_, T>)) {
        (**self).visit_mut(name, see);
    }
}

/// Numbered from 0, as PyTorch's `Sequential` and `ModuleList` are.
impl<T: Scalar, P: Parameters<T>> Parameters<T> for Vec<P> {
    fn visit(&self, name: &mut Name, see: &mut dyn FnMut(&str, Slot<'_, T>)) {
        self.iter().enumerate().for_each(|(i, p)| name.scope(&i.to_string(), |name| p.visit(name, see)));
    }

    fn visit_mut(&mut self, name: &mut Name, see: &mut dyn FnMut(&str, SlotMut<'_, T>)) {
        self.iter_mut()
            .enumerate()
            .for_each(|(i, p)| name.scope(&i.to_string(), |name| p.visit_mut(name, see)));
    }
}

/// Writes [`Parameters`] for a struct that is generic in its scalar: the fields in order, each under its own name
/// or, for a name that is no identifier, the one given.
///
/// ```
/// use gradus_autograd::{Parameters, Var, parameters};
/// use gradus_tensor::{Scalar, Tensor};
///
/// struct Linear<T: Scalar> { weight: Var<T>, bias: Option<Var<T>> }
/// parameters!(Linear<T> { weight, bias });
///
/// struct Net<T: Scalar> { body: Vec<Linear<T>>, head: Linear<T> }
/// parameters!(Net<T> { body, head as "classifier.1" });
///
/// let linear = |bias: bool| Linear {
///     weight: Var::parameter(Tensor::from([[1.0, 2.0]])),
///     bias: bias.then(|| Var::parameter(Tensor::from([0.0]))),
/// };
/// let net = Net { body: vec![linear(true)], head: linear(false) };
/// let names: Vec<_> = net.named_parameters().into_iter().map(|(name, _)| name).collect();
/// assert_eq!(names, ["body.0.weight", "body.0.bias", "classifier.1.weight"]);
/// assert_eq!(net.parameter_count(), 5);
/// ```
#[macro_export]
macro_rules! parameters {
    ($layer:ident<T> { $($field:ident $(as $name:literal)?),* $(,)? }) => {
        impl<T: $crate::__macro::Scalar> $crate::Parameters<T> for $layer<T> {
            fn visit(&self, name: &mut $crate::Name, see: &mut dyn FnMut(&str, $crate::Slot<'_, T>)) {
                let _ = (&name, &see); // a layer without fields uses neither
                $(name.scope($crate::parameters!(@ $field $($name)?), |name| {
                    $crate::Parameters::visit(&self.$field, name, see)
                });)*
            }

            fn visit_mut(&mut self, name: &mut $crate::Name, see: &mut dyn FnMut(&str, $crate::SlotMut<'_, T>)) {
                let _ = (&name, &see);
                $(name.scope($crate::parameters!(@ $field $($name)?), |name| {
                    $crate::Parameters::visit_mut(&mut self.$field, name, see)
                });)*
            }
        }
    };
    (@ $field:ident $name:literal) => { $name };
    (@ $field:ident) => { $crate::__macro::field_name(::core::stringify!($field)) };
}

/// What [`parameters!`](crate::parameters) needs where it is used: a crate that uses it need not name the tensor crate.
#[doc(hidden)]
pub mod __macro {
    pub use gradus_tensor::Scalar;

    /// A field's name as a state has it: `type` for `r#type`.
    pub fn field_name(field: &'static str) -> &'static str {
        field.strip_prefix("r#").unwrap_or(field)
    }
}
